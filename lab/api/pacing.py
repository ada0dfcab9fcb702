# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's limits: so many seconds between two calls, and between two launches, of one account."""

from __future__ import annotations

import threading
import time


class TooFast(Exception):
    """Answered with 429 and a page that is not JSON."""


class Pacing:
    """Counts per key. What is refused does not count."""

    def __init__(self, request_interval: float, launch_interval: float):
        self.intervals = {"request": request_interval, "launch": launch_interval}
        self.last: dict[tuple[str, str], float] = {}
        self.lock = threading.Lock()

    def admit(self, key: str, launch: bool) -> None:
        """Raises TooFast. A hundredth of the interval is the clock's own."""
        now = time.monotonic()
        kinds = ["request", "launch"] if launch else ["request"]
        with self.lock:
            for kind in kinds:
                if now - self.last.get((key, kind), -1e9) < self.intervals[kind] * 0.99:
                    raise TooFast
            for kind in kinds:
                self.last[key, kind] = now
