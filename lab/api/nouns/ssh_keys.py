# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys of the account, by which people reach their instances."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from pathlib import Path

from .. import bodies
from ..errors import ApiError
from ..store import Object, new_id
from ..world import World

LIMIT = 1024


class SshKeys:
    """The account's public keys."""

    def __init__(self, world: World):
        self.world = world

    def listed(self) -> list[Object]:
        """All of them."""
        with self.world.turn():
            return list(self.world.store.ssh_keys.values())

    def create(self, body: bodies.SshKey) -> Object:
        """Import a key, or generate one whose private half is in this answer and nowhere else."""
        with self.world.turn() as now:
            store = self.world.store
            if body.name in {key["name"] for key in store.ssh_keys.values()}:
                raise ApiError("global/invalid-parameters", f"An SSH key named {body.name} exists already.")
            if len(store.ssh_keys) >= LIMIT:
                raise ApiError("global/invalid-parameters", f"There are {LIMIT} SSH keys already.")
            if body.public_key and not is_public_key(body.public_key):
                raise ApiError("global/invalid-parameters", "public_key is not an SSH public key.")
            private, public = ("", body.public_key) if body.public_key else generate()
            key = {"id": new_id(), "name": body.name, "public_key": public}
            store.ssh_keys[key["id"]] = key
            store.created[key["id"]] = now
            self.world.noted("ssh_key", "created", [key["id"]])
            return key | ({"private_key": private} if private else {})

    def delete(self, key_id: str) -> Object:
        """Forget a key; instances that were launched with it keep it."""
        with self.world.turn():
            if self.world.store.ssh_keys.pop(key_id, None) is None:
                raise ApiError("global/not-found")
            self.world.noted("ssh_key", "deleted", [key_id])
            return {}


def is_public_key(text: str) -> bool:
    """One line: type, base64, and maybe a comment."""
    kind, _, rest = text.strip().partition(" ")
    try:
        base64.b64decode(rest.split()[0], validate=True)
    except (IndexError, ValueError):
        return False
    return kind.startswith(("ssh-", "ecdsa-", "sk-")) and "\n" not in text.strip()


def generate() -> tuple[str, str]:
    """A new pair: private key, public key."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "key")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
        return path.read_text(encoding="utf-8"), path.with_suffix(".pub").read_text(encoding="utf-8").strip()
