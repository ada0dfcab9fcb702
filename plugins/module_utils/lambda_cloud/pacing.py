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
import time
import typing as t

# The API measures when a request arrives: a little more than its interval, so
# that a request that travels faster than the one before it is not too early.
MARGIN = 1.01


class Gate:
    """A file lock with the times of the last call and the last launch in it."""

    def __init__(self, api_key: str, request_interval: float, launch_interval: float, folder: str = "~/.cache/gh200"):
        self.folder = os.path.expanduser(folder)
        self.path = os.path.join(self.folder, f"pace-{hashlib.sha256(api_key.encode()).hexdigest()[:16]}.json")
        self.intervals = {"request": request_interval, "launch": launch_interval}

    @contextlib.contextmanager
    def passage(self, launch: bool = False) -> t.Iterator[None]:
        """Wait for the turn, and keep others out until the call has ended."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            last = _read(descriptor)
            time.sleep(self.wait_for(last, time.time(), launch))
            now = time.time()
            last["request"] = now
            if launch:
                last["launch"] = now
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(last).encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def wait_for(self, last: dict[str, float], now: float, launch: bool) -> float:
        """Seconds until the next call may go. A time in the future is a clock that was set back."""
        waits = [0.0]
        for kind in ("request", "launch") if launch else ("request",):
            since = now - min(last.get(kind, 0.0), now)
            waits.append(self.intervals[kind] * MARGIN - since)
        return max(waits)


def _read(descriptor: int) -> dict[str, float]:
    try:
        return {str(kind): float(when) for kind, when in json.loads(os.pread(descriptor, 4096, 0) or b"{}").items()}
    except (ValueError, AttributeError):
        return {}
