# SPDX-License-Identifier: GPL-3.0-or-later
"""A limit of the kernel that many nodes on one machine reach: each systemd, udev and journal watches files."""

from __future__ import annotations

import contextlib
from pathlib import Path

from .errors import LabError

INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
# Of one node, and of everything else. A node that gets none does not boot.
EACH, OTHERS = 8, 16


def widen(nodes: int, ledger: Path) -> None:
    """Room for so many nodes; how it was is written to `ledger` first, once. Raises LabError where it cannot be."""
    was = int(INSTANCES.read_text(encoding="ascii"))
    if was < OTHERS + EACH * nodes:
        if not ledger.exists():
            ledger.parent.mkdir(parents=True, exist_ok=True)
            ledger.write_text(f"{was}\n", encoding="ascii")
        try:
            INSTANCES.write_text(f"{OTHERS + EACH * nodes}\n", encoding="ascii")
        except OSError as error:
            raise LabError(
                f"{nodes} nodes need {OTHERS + EACH * nodes} in {INSTANCES}, which is {was} and cannot be set here "
                f"({error.strerror}): set it on the machine, or choose fewer with NODES=."
            ) from error


def restore(ledger: Path) -> None:
    """As it was. It stays as it is when nobody can tell any more how it was."""
    with contextlib.suppress(OSError, ValueError):
        INSTANCES.write_text(f"{int(ledger.read_text(encoding='ascii'))}\n", encoding="ascii")
    ledger.unlink(missing_ok=True)
