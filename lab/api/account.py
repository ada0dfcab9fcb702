# SPDX-License-Identifier: GPL-3.0-or-later
"""What an account has beside instances: ssh keys and filesystems."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from . import catalogue, requests
from .cloud import Cloud
from .errors import ApiError
from .store import filesystem, new_id


class Account:
    """Works on the store of the cloud, under its lock."""

    def __init__(self, cloud: Cloud):
        self.cloud = cloud
        self.store = cloud.store

    def ssh_keys(self) -> list[dict]:
        """All public keys."""
        return list(self.store.ssh_keys.values())

    def add_ssh_key(self, body: requests.SshKey) -> dict:
        """Import a key, or generate one whose private half is in this answer and nowhere else."""
        with self.cloud.lock:
            if body.name in {key["name"] for key in self.store.ssh_keys.values()}:
                raise ApiError("global/invalid-parameters", f"An SSH key named {body.name} exists already.")
            private, public = (None, body.public_key) if body.public_key else generate()
            key = {"id": new_id(), "name": body.name, "public_key": public}
            self.store.ssh_keys[key["id"]] = key
            self.store.save()
            return key | ({"private_key": private} if private else {})

    def delete_ssh_key(self, key_id: str) -> dict:
        """Forget a key."""
        with self.cloud.lock:
            if self.store.ssh_keys.pop(key_id, None) is None:
                raise ApiError("global/not-found")
            self.store.save()
            return {}

    def add_filesystem(self, body: requests.Filesystem) -> dict:
        """Create one, empty."""
        with self.cloud.lock:
            if body.region not in catalogue.REGIONS:
                raise ApiError("global/invalid-parameters", f"Region {body.region} does not exist.")
            if body.name in {item["name"] for item in self.store.filesystems.values()}:
                raise ApiError("global/duplicate")
            item = filesystem(body.name, body.region)
            self.store.filesystems[item["id"]] = item
            self.store.save()
            return item

    def delete_filesystem(self, filesystem_id: str) -> dict:
        """Delete one that no instance uses."""
        with self.cloud.lock:
            found = [item for item in self.cloud.filesystems() if item["id"] == filesystem_id]
            if not found:
                raise ApiError("global/object-does-not-exist")
            if found[0]["is_in_use"]:
                raise ApiError("filesystems/filesystem-in-use")
            del self.store.filesystems[filesystem_id]
            self.store.save()
            return {"deleted_ids": [filesystem_id]}


def generate() -> tuple[str, str]:
    """A new pair: private key, public key."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
        return path.read_text(encoding="utf-8"), path.with_suffix(".pub").read_text(encoding="utf-8").strip()
