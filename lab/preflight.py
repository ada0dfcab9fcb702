# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab needs of this machine, told in one sentence where it is missing."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from .errors import LabError

TOOLS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "nft": "nftables",
    "ip": "iproute2",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "curl": "curl",
}
DISK_GIB = 15
MEMORY_GIB = {1: 3, 2: 4, 4: 7, 8: 9, 16: 14}
# Of a node that serves nothing, and of what is there for any number.
LIGHT_GIB, LIGHT_BASE_GIB = 0.0625, 2


def check(root: Path, nodes: int, serves: bool = True) -> None:
    """Raises LabError at the first thing that is missing. `serves`: whether the nodes run an engine."""
    if os.geteuid() != 0:
        raise LabError("The lab makes network namespaces and mounts, so it must run as root: try again with sudo.")
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if missing:
        raise LabError(f"These packages are missing: {' '.join(missing)}. `make setup` installs them.")
    root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free / 1024**3
    if free < DISK_GIB:
        raise LabError(f"The lab needs {DISK_GIB} GiB on the disk of {root}, and {free:.0f} GiB are free there.")
    if _filesystem(root) in ("overlay", "tmpfs", "nfs", "nfs4"):
        raise LabError(
            f"{root} is on {_filesystem(root)}, which cannot carry the nodes' overlays: "
            "set LAB_ROOT to a folder on ext4 or xfs."
        )
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024**3
    needed = MEMORY_GIB[nodes] if serves else LIGHT_BASE_GIB + LIGHT_GIB * nodes
    if memory < needed:
        raise LabError(
            f"{nodes} nodes need {needed:.0f} GiB of memory and this machine has {memory:.0f}: "
            "choose fewer with NODES=."
        )


def require_free(address: str, port: int, variable: str) -> None:
    """The port must be ours to take."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            raise LabError(
                f"Port {port} on {address} is in use by another program ({error.strerror}): stop it, "
                f"or set {variable} to a free port."
            ) from error


def _filesystem(path: Path) -> str:
    """Type of the filesystem that the path is on."""
    best, kind = "", ""
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        mount, this = line.split()[1:3]
        if (f"{path.resolve()}/").startswith(mount.rstrip("/") + "/") and len(mount) >= len(best):
            best, kind = mount, this
    return kind
