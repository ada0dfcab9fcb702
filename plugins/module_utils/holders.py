# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who holds a mount: read from /proc by name alone, for asking a dead server would never end."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.gh200.inference.plugins.module_utils.mounts import Mount, is_below

SHOWN = 5


def holders(folder: str, proc: str = "/proc") -> list[str]:
    """One word for each process that has something below the folder: `4711 (bash, /mnt/share/x)`."""
    found = []
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        held = next((path for path in _paths(f"{proc}/{pid}") if is_below(path, folder)), None)
        if held:
            found.append(f"{pid} ({_command(f'{proc}/{pid}')}, {held})")
    return found


def sentence(folder: str, mounts: list[Mount], proc: str = "/proc") -> str:
    """What holds the folder: processes, and mounts inside it."""
    held = holders(folder, proc)
    inside = [mount.target for mount in mounts if mount.target != folder and is_below(mount.target, folder)]
    parts = []
    if held:
        more = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
        parts.append(f"by process {', '.join(held[:SHOWN])}{more}")
    if inside:
        parts.append(f"by what is mounted at {', '.join(inside)}")
    return " and ".join(parts) or "by something that no process shows (a server that exports it, a file used as a disk)"


def _paths(process: str) -> t.Iterator[str]:
    """Working folder, root, program, open files, and files in its memory."""
    for name in ("cwd", "root", "exe"):
        yield _link(f"{process}/{name}")
    try:
        for name in os.listdir(f"{process}/fd"):
            yield _link(f"{process}/fd/{name}")
        with open(f"{process}/maps", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                yield line.rstrip("\n").split(maxsplit=5)[-1]
    except OSError:
        return  # it has ended


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _command(process: str) -> str:
    try:
        with open(f"{process}/comm", encoding="utf-8", errors="replace") as stream:
            return stream.read().strip()
    except OSError:
        return "?"
