# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps things, and the numbers that it is made of."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
API_PORT = int(os.environ.get("LAB_API_PORT", "8600"))
HUB_PORT = int(os.environ.get("LAB_HUB_PORT", "8601"))

# Two networks, as an instance has them: eth0 is the public one, eth1 the private.
PUBLIC, PRIVATE = "10.77.0", "10.77.1"
GATEWAY = f"{PUBLIC}.1"

REGION = "us-east-3"
FILESYSTEM = "shared"
SSH_KEY_NAME = "laptop"
FLEET = "r1"
NODE_COUNTS = (1, 2, 4, 8, 16)
# As many instances as an account may have at once, see lab.api.config.
LIGHT_MOST = 64


@dataclass(frozen=True)
class Paths:
    """Everything below one folder: `cache` survives `lab down`, the rest does not."""

    root: Path = Path(os.environ.get("LAB_ROOT", REPOSITORY / ".lab"))

    @property
    def cache(self) -> Path:
        """Downloads, the base image, built wheels, the model."""
        return self.root / "cache"

    @property
    def run(self) -> Path:
        """What lives now: nodes, pids, the API's database."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One file per daemon and long step."""
        return self.root / "logs"

    @property
    def state(self) -> Path:
        """The collection's own state folder."""
        return self.root / "state"

    @property
    def share(self) -> Path:
        """Content of the shared filesystems, one folder each."""
        return self.root / "share"

    @property
    def hub(self) -> Path:
        """What the hub serves."""
        return self.cache / "hub"

    @property
    def lambda_key(self) -> Path:
        """The account's API key."""
        return self.root / "lambda-api-key"

    @property
    def ssh_key(self) -> Path:
        """The user's private ssh key."""
        return self.root / "ssh" / "id_ed25519"

    @property
    def api_key(self) -> Path:
        """The key of the served endpoint, made by the playbooks."""
        return self.root / "api-key"

    def inventory(self, fleet: str = FLEET) -> Path:
        """The inventory that the lab writes for a fleet."""
        return REPOSITORY / "inventory" / ("lab" if fleet == FLEET else f"lab-{fleet}")
