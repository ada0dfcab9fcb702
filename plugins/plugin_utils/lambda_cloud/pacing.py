# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One call at a time per account, and no faster than allowed, across all processes of this user."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import typing as t

from . import clock as clocks

# The API measures when a request arrives, which is between the begin and the end
# of a call, and late in it where a connection must be made first. So the next call
# is counted from the end of the one before. Not so a launch, which takes 5 of its
# 12 seconds after it has arrived: 0.24 s more than its interval are its reserve.
MARGIN = {"request": 1.01, "launch": 1.02}


class Pace:
    """A file lock with the times of the last call and the last launch in it. Intervals are seconds."""

    def __init__(
        self,
        api_key: str,
        request_interval: float,
        launch_interval: float,
        folder: str = "~/.cache/gh200",
        clock: clocks.Clock | None = None,
    ):
        self.folder = os.path.expanduser(folder)
        self.account_id = hashlib.sha256(api_key.encode()).hexdigest()[:16]
        self.path = os.path.join(self.folder, f"pace-{self.account_id}.json")
        self.intervals = {"request": request_interval, "launch": launch_interval}
        self.clock = clock or clocks.Clock()

    @contextlib.contextmanager
    def passage(self, launch: bool = False) -> t.Iterator[None]:
        """Wait for the turn, and keep others out until the call has ended."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            last = self._enter(descriptor, launch)
            now = self.clock.now()
            last.update({"request": now, "launch": now} if launch else {"request": now})
            # Also now, since a process that is killed in its call does not come to the end of it.
            _write(descriptor, last)
            try:
                yield
            finally:
                last["request"] = self.clock.now()
                _write(descriptor, last)
        finally:
            os.close(descriptor)

    def launch_wait(self) -> float:
        """Seconds until a launch may go, as things are now."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except FileNotFoundError:
            return 0.0
        try:
            return self.wait_for(_read(descriptor), self.clock.now(), launch=True)
        finally:
            os.close(descriptor)

    def wait_for(self, last: dict[str, float], now: float, launch: bool) -> float:
        """Seconds until the next call may go, at most an interval."""
        waits = [0.0]
        for kind in ("request", "launch") if launch else ("request",):
            since = now - min(last.get(kind, 0.0), now)
            waits.append(self.intervals[kind] * MARGIN[kind] - since)
        return max(waits)

    def _enter(self, descriptor: int, launch: bool) -> dict[str, float]:
        """Returns with the lock held. A wait for a launch is long, and others may call meanwhile."""
        while True:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            now, last = self.clock.now(), _read(descriptor)
            if any(when > now for when in last.values()):
                # The clock was set back: counted from now on, or the wait would last until it is as late again.
                last = {kind: min(when, now) for kind, when in last.items()}
                _write(descriptor, last)
            wait = self.wait_for(last, now, launch)
            if wait < 0.001:  # below what a clock tells apart
                return last
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            self.clock.sleep(wait)


def _read(descriptor: int) -> dict[str, float]:
    try:
        return {str(kind): float(when) for kind, when in json.loads(os.pread(descriptor, 4096, 0) or b"{}").items()}
    except (ValueError, AttributeError, TypeError):
        return {}


def _write(descriptor: int, last: dict[str, float]) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(last).encode(), 0)
