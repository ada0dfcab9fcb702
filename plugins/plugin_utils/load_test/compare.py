# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Two load tests against each other, with the spread of their runs."""

from __future__ import annotations

import math
import typing as t

from .result import Result, Run, groups, middle, values

# Figure, what it is called, and whether more is better.
FIGURES = (
    ("tokens_per_second", "tokens per second", True),
    ("first_token.p50", "first token, p50", False),
    ("first_token.p99", "first token, p99", False),
    ("inter_token.p50", "between tokens, p50", False),
)
ENOUGH = 3


def compare(earlier: Result, now: Result) -> list[dict[str, t.Any]]:
    """A line for each figure of each concurrency that both have."""
    before = groups(earlier)
    return [
        line
        for concurrency, runs in groups(now).items()
        if concurrency in before
        for figure in FIGURES
        if (line := _line(concurrency, figure, before[concurrency], runs))
    ]


def _line(
    concurrency: int, figure: tuple[str, str, bool], before: list[Run], after: list[Run]
) -> dict[str, t.Any] | None:
    name, label, more_is_better = figure
    old, new = values(before, name), values(after, name)
    was, is_now = middle(old), middle(new)
    if was is None or is_now is None or not was:
        return None
    better = (is_now > was) == more_is_better
    enough = min(len(old), len(new)) >= ENOUGH
    # No run of the one is among those of the other.
    beyond = enough and (new[0] > old[-1] or new[-1] < old[0])
    return {
        "concurrency": concurrency,
        "figure": name,
        "label": label,
        "earlier": was,
        "now": is_now,
        "change": is_now / was - 1,
        "runs": [len(old), len(new)],
        "beyond": beyond,
        "better": better,
        "says": _says(enough, beyond, better, len(old), len(new)),
    }


def _says(enough: bool, beyond: bool, better: bool, old: int, new: int) -> str:
    if not enough:
        return f"not known: that takes {ENOUGH} runs of each"
    if not beyond:
        return "within the spread"
    # How often chance alone would part runs of the same kind like this, to either side.
    chance = 2 / math.comb(old + new, old)
    return f"{'better' if better else 'worse'}, beyond the spread (by chance once in {1 / chance:.0f})"
