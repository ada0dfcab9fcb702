# SPDX-License-Identifier: GPL-3.0-or-later
"""Wall time and CPU of a command with all that it starts, ssh's masters too, which live on when it has ended.

The nodes of the lab run on the same machine: a control group tells what is the command's.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/sys/fs/cgroup")


class Cost(NamedTuple):
    """Seconds of the clock, and of all cores together."""

    wall: float
    cpu: float


class Meter:
    """A group below `root`, for as long as `metering` lasts."""

    def __init__(self, root: Path = ROOT):
        self.is_unified = (root / "cgroup.controllers").exists()
        self.group = (root if self.is_unified else root / "cpuacct") / f"gh200bench-{os.getpid()}"

    def used(self) -> float:
        """Seconds of CPU up to now."""
        if self.is_unified:
            words = (self.group / "cpu.stat").read_text(encoding="utf-8").split()
            return int(words[words.index("usage_usec") + 1]) / 1e6
        return int((self.group / "cpuacct.usage").read_text(encoding="utf-8")) / 1e9

    def run(self, words: list[str], **options) -> tuple[int, Cost]:
        """Exit status and cost of a command."""
        with self.counting() as ended:
            status = subprocess.run(words, check=False, **options).returncode
        return status, ended[0]

    @contextlib.contextmanager
    def counting(self) -> Iterator[list[Cost]]:
        """What this process and those that it starts cost until the block ends; it stands in the list then."""
        cost: list[Cost] = []
        before = self._where()
        self._enter(self.group)
        used, began = self.used(), time.monotonic()
        try:
            yield cost
        finally:
            self._enter(before)
        cost.append(Cost(time.monotonic() - began, self.used() - used))

    def _where(self) -> Path:
        """The group that this process is in now."""
        root = self.group.parent
        for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _number, trees, path = line.split(":", 2)
            if trees == "" if self.is_unified else "cpuacct" in trees.split(","):
                return root / path.lstrip("/")
        return root

    @staticmethod
    def _enter(group: Path) -> None:
        (group / "cgroup.procs").write_text(str(os.getpid()), encoding="utf-8")


@contextlib.contextmanager
def metering(root: Path = ROOT) -> Iterator[Meter]:
    """A meter; its group is removed, and what still runs in it goes back to where this process is."""
    meter = Meter(root)
    meter.group.mkdir()
    try:
        yield meter
    finally:
        for pid in (meter.group / "cgroup.procs").read_text(encoding="utf-8").split():
            with contextlib.suppress(OSError):
                (meter._where() / "cgroup.procs").write_text(pid, encoding="utf-8")
        meter.group.rmdir()
