# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The time. Whatever waits takes it from here, so that an hour of waiting can be tested in a moment."""

from __future__ import annotations

import time


class Clock:
    """The machine's own."""

    def now(self) -> float:
        """Seconds since 1970, for stamps that others read."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back, for deadlines."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(max(0.0, seconds))
