# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings of cachefilesd, the daemon that keeps FS-Cache's folder in its limits."""

from __future__ import annotations

import math
import os

# Per cent of the disk. Below the first nothing is ever cached, so that the system has room; above the second the
# limits that follow would have no place.
LEAST, MOST = 10, 80
STEP = 5
# Per cent of the inodes; a cache of large files has few.
FILES = (20, 15, 10)

UNIT = """\
# Written by Ansible; the package's init script reports a failure of a daemon that runs.
[Unit]
Description=Cache of network filesystems on the local disk
RequiresMountsFor={folder}
Wants=remote-fs-pre.target
Before=remote-fs-pre.target

[Service]
# It is in the background when it has bound the cache, or has said why not.
Type=forking
ExecStartPre=-/sbin/modprobe cachefiles
ExecStart=/sbin/cachefilesd -f {settings}
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
"""


def disk_bytes(folder: str) -> int:
    """Size of the disk that the folder is on, or will be."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    disk = os.statvfs(folder)
    return disk.f_blocks * disk.f_frsize


def limits(disk_bytes: int, keep_free: float) -> tuple[int, int, int]:
    """(run, cull, stop) in per cent of a disk: with less than `stop` free nothing is added, below `cull` old files are
    dropped until `run` is free.

    `stop` is the share of the disk that `keep_free` (GB) takes, rounded up, and 10 to 80. Raises ValueError for what no
    disk has.
    """
    if disk_bytes <= 0 or keep_free < 0:
        raise ValueError(f"{keep_free} GB of a disk of {disk_bytes} bytes cannot be kept free.")
    stop = min(MOST, max(LEAST, math.ceil(100 * keep_free * 1e9 / disk_bytes)))
    return stop + 2 * STEP, stop + STEP, stop


def settings(folder: str, disk_bytes: int, keep_free: float) -> str:
    """Text of its configuration file."""
    blocks = limits(disk_bytes, keep_free)
    lines = [f"dir {folder}", "tag gh200"]
    for kind, values in (("b", blocks), ("f", FILES)):
        lines += [f"{kind}{name} {value}%" for name, value in zip(("run", "cull", "stop"), values, strict=True)]
    return "\n".join(lines) + "\n"
