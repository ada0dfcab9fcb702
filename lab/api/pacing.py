# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's limits: so many calls, and so many launches, in so many seconds."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable

from .config import ApiConfig


class TooFast(Exception):
    """Answered with 429, as the account's `rate_shape` says."""


class Pacing:
    """Counts per key, on the simulated clock. What is refused does not count, but in `refusals`."""

    def __init__(self, config: ApiConfig, now: Callable[[], float]):
        self.config = config
        self.now = now
        self.refusals = 0
        self.passed: dict[tuple[str, str], deque[float]] = defaultdict(lambda: deque(maxlen=5))
        self.lock = threading.Lock()

    def admit(self, key: str, launch: bool) -> None:
        """Raises TooFast."""
        now = self.now()
        kinds = ["request", "launch"] if launch else ["request"]
        with self.lock:
            if any(self._is_full(self.passed[key, kind], *limit, now) for kind in kinds for limit in self.limits(kind)):
                self.refusals += 1
                raise TooFast
            for kind in kinds:
                self.passed[key, kind].append(now)

    def limits(self, kind: str) -> list[tuple[int, float]]:
        """Calls and the seconds in which no more may be made: 1 in 12 s, 5 in a minute, for a launch."""
        interval = self.config.launch_interval
        return [(1, interval), (5, 5 * interval)] if kind == "launch" else [(1, self.config.request_interval)]

    @staticmethod
    def _is_full(passed: deque[float], calls: int, seconds: float, now: float) -> bool:
        # A hundredth of the interval is the clock's own.
        return len(passed) >= calls and now - passed[-calls] < seconds * 0.99
