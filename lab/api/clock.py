# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of the simulated world."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds since 1970: `source` from its first moment on, `speed` times as fast, and moved on by `advance`."""

    def __init__(self, source: Callable[[], float] = time.time, speed: float = 1.0):
        self.source = source
        self.speed = speed
        self.begun = source()
        self.ahead = 0.0

    def now(self) -> float:
        """The simulated time, in seconds."""
        return self.begun + (self.source() - self.begun) * self.speed + self.ahead

    def advance(self, seconds: float) -> None:
        """Move on. Time never goes back: a negative number is a ValueError."""
        if seconds < 0:
            raise ValueError(f"The clock cannot be advanced by {seconds} s: it does not go back.")
        self.ahead += seconds

    def not_before(self, moment: float) -> None:
        """Go on from a saved moment, when that is later than now."""
        self.ahead += max(0.0, moment - self.now())


def stamp(moment: float) -> str:
    """As the API writes a time."""
    return datetime.fromtimestamp(moment, UTC).isoformat()
