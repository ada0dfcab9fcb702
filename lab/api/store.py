# SPDX-License-Identifier: GPL-3.0-or-later
"""The account's objects, kept in one JSON file so that a new API process goes on with them."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

from .config import ApiConfig


def new_id() -> str:
    """32 hexadecimal digits, as the real ones look."""
    return uuid.uuid4().hex


class Store:
    """instances, ssh_keys, filesystems and firewall_rules, each as the API shows them; times beside the instances."""

    def __init__(self, config: ApiConfig):
        self.path = Path(config.state_file) if config.state_file else None
        if self.path and self.path.exists():
            self.data = json.loads(self.path.read_text(encoding="utf-8"))
        else:
            self.data = {
                "instances": {}, "times": {},
                "ssh_keys": {key["id"]: key for key in ({"id": new_id(), "name": name, "public_key": text} for name, text in config.ssh_keys.items())},
                "filesystems": {item["id"]: item for item in (filesystem(name, place) for name, place in config.filesystems.items())},
                "firewall_rules": [{"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0", "description": "ssh"}],
            }
            self.save()

    def __getattr__(self, name):
        try:
            return self.__dict__["data"][name]
        except KeyError as error:
            raise AttributeError(name) from error

    def save(self) -> None:
        """Write the file in one step."""
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(".new")
            temporary.write_text(json.dumps(self.data), encoding="utf-8")
            os.replace(temporary, self.path)


def filesystem(name: str, place: str) -> dict:
    """A filesystem object."""
    from .catalogue import region
    return {
        "id": new_id(), "name": name, "mount_point": f"/lambda/nfs/{name}", "created": "2026-11-01T00:00:00+00:00",
        "created_by": {"id": "0" * 32, "email": "user@example.com", "status": "active"}, "is_in_use": False, "region": region(place), "bytes_used": 0,
    }
