# SPDX-License-Identifier: GPL-3.0-or-later
"""What cloud-init reads at a node's first boot (NoCloud)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from .image import write


def plant(
    root: Path, instance_id: str, hostname: str, address: str, ssh_public_keys: list[str], user_data: str
) -> None:
    """Identity, keys and user data into the root of a node that has not booted."""
    seed = root / "var/lib/cloud/seed/nocloud"
    meta = {"instance-id": instance_id, "local-hostname": hostname, "public-keys": ssh_public_keys}
    write(seed / "meta-data", json.dumps(meta))
    write(seed / "user-data", user_data or "#cloud-config\n{}\n")
    write(root / "etc/hostname", f"{hostname}\n")
    # The name must lead to an address that the other nodes reach, not to 127.0.1.1.
    write(root / "etc/hosts", f"127.0.0.1 localhost\n{address} {hostname}\n")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
