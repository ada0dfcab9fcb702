# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Numbers among options.

Ansible takes NaN for a number of seconds, and true or 1e2 for a size; here they are refused, in one sentence.
"""

from __future__ import annotations

import math
import re
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors

# Least, most and name of each type of number. No time of ours is longer than ten years, and no price higher than their
# seconds.
HUGE = 2**1000  # a float has room for this
TEN_YEARS = 10 * 365 * 24 * 3600
RANGES = {"int": (0, 1_000_000, "a whole number, in digits,"), "float": (0, TEN_YEARS, "a number")}


def check(spec: dict[str, dict[str, t.Any]], values: dict[str, t.Any]) -> None:
    """CloudError for the first number that cannot be meant.

    `spec` is an argument spec; `values` may be as the user gave them, or converted.
    """
    for name, about in spec.items():
        value = values.get(name)
        kind = about.get("elements") if about.get("type") == "list" else about.get("type")
        for item in value if isinstance(value, (list, tuple)) else [] if value is None else [value]:
            if kind in RANGES:
                _check_number(name, kind, item)
            elif "options" in about and isinstance(item, dict):
                check(about["options"], item)


def _check_number(name: str, kind: str, value: t.Any) -> None:
    least, most, words = RANGES[kind]
    number = _parsed(kind, value)
    if number is None or not least <= number <= most:
        # Python writes no whole number of more than 4300 digits.
        shown = (
            ascii(str(value)[:60])[1:-1]
            if not isinstance(value, int) or abs(value) < HUGE
            else "a number of many digits"
        )
        raise errors.CloudError(f"{name} is {shown}, and must be {words} from {least} to {most}. Nothing was changed.")


def _parsed(kind: str, value: t.Any) -> float | None:
    """The number, or None for what is none: a bool, NaN, an infinity, a fraction or a power where a whole number is
    due.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and not re.fullmatch(
        r"[+-]?\d+" if kind == "int" else r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", value.strip().lower()
    ):
        return None
    number = float(value) if not isinstance(value, int) or abs(value) < HUGE else math.inf
    return number if math.isfinite(number) and (kind == "float" or number.is_integer()) else None
