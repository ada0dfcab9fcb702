# SPDX-License-Identifier: GPL-3.0-or-later
"""The account's objects, kept in one JSON file so that a new API process goes on with them."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

from . import catalogue
from .clock import Clock, stamp
from .config import ApiConfig

# What an account has when nobody has changed it.
FIREWALL = [
    {"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0", "description": "ssh"},
    {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": "ping"},
]


def new_id() -> str:
    """32 hexadecimal digits, as the real ones look."""
    return uuid.uuid4().hex


class Store:
    """Each attribute is a part of the account: objects by id as the API shows them, and what the API does not show.

    Shown: instances, ssh_keys, filesystems, firewall_rules, firewall_rulesets, events. Not shown: times of instances, `created` of
    all objects, `releases` (when a filesystem is no more in use), bills and their history, changes of the account, the clock.
    """

    def __init__(self, config: ApiConfig, clock: Clock):
        self.clock = clock
        self.path = Path(config.state_file) if config.state_file else None
        self.data = {
            "instances": {}, "times": {}, "ssh_keys": {}, "filesystems": {}, "firewall_rules": [dict(rule) for rule in FIREWALL], "firewall_rulesets": {},
            "events": [], "created": {}, "releases": {}, "bills": {}, "history": [], "account": {}, "clock": 0.0,
        }
        self.is_new = not (self.path and self.path.exists())
        if not self.is_new:
            self.data |= json.loads(self.path.read_text(encoding="utf-8"))
            clock.not_before(self.data["clock"])

    def __getattr__(self, name):
        try:
            return self.__dict__["data"][name]
        except KeyError as error:
            raise AttributeError(name) from error

    def save(self) -> None:
        """Write the file in one step."""
        if self.path:
            self.data["clock"] = self.clock.now()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(".new")
            temporary.write_text(json.dumps(self.data), encoding="utf-8")
            os.replace(temporary, self.path)


def filesystem(name: str, place: str, moment: float) -> dict:
    """A filesystem object, empty."""
    return {
        "id": new_id(), "name": name, "mount_point": f"/lambda/nfs/{name}", "created": stamp(moment),
        "created_by": {"id": "0" * 32, "email": "user@example.com", "status": "active"}, "is_in_use": False, "region": catalogue.region(place), "bytes_used": 0,
    }
