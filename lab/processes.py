# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's two daemons: started in a session of their own, known by pid and start time."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from . import shell
from .config import REPOSITORY, Paths
from .errors import LabError


@dataclass(frozen=True)
class Daemon:
    """`python -m MODULE ARGUMENTS`; `probe` tells whether it answers."""

    paths: Paths
    name: str
    arguments: list[str]
    stamp: str

    @property
    def record(self) -> Path:
        """Where pid, start time and stamp are written."""
        return self.paths.run / f"{self.name}.json"

    @property
    def log(self) -> Path:
        """Its output."""
        return self.paths.logs / f"{self.name}.log"

    def written(self) -> dict:
        """The record, or nothing."""
        with contextlib.suppress(OSError, ValueError):
            return json.loads(self.record.read_text(encoding="utf-8"))
        return {}

    def is_running(self) -> bool:
        """Whether the very process of the record lives."""
        written = self.written()
        return bool(written) and shell.start_time(written["pid"]) == written["started"]

    def ensure(self, probe) -> bool:
        """Start it, or start it anew when its settings or code have changed; whether anything was done."""
        if self.is_running() and self.written()["stamp"] == self.stamp and probe():
            return False
        self.stop()
        self.paths.logs.mkdir(parents=True, exist_ok=True)
        self.record.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.record.write_text(
            json.dumps({"pid": process.pid, "started": shell.start_time(process.pid), "stamp": self.stamp}),
            encoding="utf-8",
        )
        deadline = time.monotonic() + 30
        while not probe():
            if process.poll() is not None:
                raise LabError(f"The lab's {self.name} ended at once: {self.last_words()} Its log is {self.log}.")
            if time.monotonic() > deadline:
                raise LabError(f"The lab's {self.name} does not answer after 30 s. Its log is {self.log}.")
            time.sleep(0.1)
        return True

    def stop(self) -> bool:
        """End it if it lives; whether it was there."""
        was = self.is_running()
        if was:
            written = self.written()
            if not shell.stop(written["pid"], written["started"]):
                raise LabError(f"The lab's {self.name} (pid {written['pid']}) could not be stopped.")
        self.record.unlink(missing_ok=True)
        return was

    def last_words(self) -> str:
        """The end of its log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1][-200:] + "." if lines else "it said nothing."
