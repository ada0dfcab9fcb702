# SPDX-License-Identifier: GPL-3.0-or-later
"""A control group per node: it keeps nodes apart, and names every process that is a node's."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PARENT = "gh200lab"


def folders(name: str) -> list[Path]:
    """The node's group in each hierarchy that matters."""
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT / PARENT / name]
    return [ROOT / tree / PARENT / name for tree in ("systemd", "unified", "memory") if (ROOT / tree).exists()]


def make(name: str) -> list[Path]:
    """Create the groups."""
    for folder in folders(name):
        folder.mkdir(parents=True, exist_ok=True)
    return folders(name)


def processes(name: str) -> set[int]:
    """Every process of the node, as this machine numbers them."""
    found = set()
    for folder in folders(name)[:1]:
        for listing in [folder / "cgroup.procs", *folder.glob("**/cgroup.procs")]:
            with contextlib.suppress(OSError):  # the group went away while it was read
                found |= {int(line) for line in listing.read_text(encoding="utf-8").split()}
    return found


def kill(name: str, patience: float = 15.0) -> bool:
    """Pull the plug: kill exactly the processes in the node's group."""
    deadline = time.monotonic() + patience
    while (left := processes(name)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    return not processes(name)


def remove(name: str) -> list[str]:
    """Remove the groups, innermost first; returns what is still there."""
    for folder in folders(name):
        for inner in sorted((path for path in folder.glob("**/") if path.is_dir()), key=lambda path: -len(path.parts)):
            _rmdir(inner)
        _rmdir(folder)
        _rmdir(folder.parent)  # goes when the last node has gone
    return [f"cgroup {folder}" for folder in folders(name) if folder.exists()]


def _rmdir(folder: Path) -> None:
    for _ in range(40):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            if any(folder.glob("*/")):
                return
            time.sleep(0.05)  # the kernel lets go of it a moment after its last process
        else:
            return
