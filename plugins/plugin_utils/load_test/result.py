# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Results of load tests: read, and grouped by how many requests were at once."""

from __future__ import annotations

import json
import typing as t

FORMAT = 1
# What must be the same in two tests, for a difference to mean something.
ALIKE = ("requests", "prompt_tokens", "output_tokens")

Result = dict[str, t.Any]
Run = dict[str, t.Any]


class ResultError(ValueError):
    """What is against a result; its text is a sentence for people."""


def read(text: str, name: str, asked: dict[str, t.Any] | None = None) -> Result:
    """A result, which was asked the same as `asked`, where that is given. Raises ResultError."""
    try:
        result = json.loads(text)
        known = result["format"] == FORMAT and all(run["concurrency"] and run["requests"] for run in result["runs"])
    except (ValueError, KeyError, TypeError) as error:
        raise ResultError(
            f"{name} is no result of a load test: give a load-*.json that the role load_test wrote."
        ) from error
    if not known or not result["runs"]:
        raise ResultError(f"{name} is of another version of the role load_test, or has no runs: make a new one.")
    if asked is not None:
        compare_asked(result, name, asked)
    return t.cast(Result, result)


def compare_asked(result: Result, name: str, asked: dict[str, t.Any]) -> None:
    """Raises ResultError where the two tests do not ask the same."""
    odd = [
        f"{key} was {result['asked'].get(key, 'not given')} and is {asked[key]}"
        for key in ALIKE
        if result["asked"].get(key) != asked[key]
    ]
    if not set(groups(result)) & set(asked["concurrencies"]):
        odd.append(f"concurrencies were {sorted(groups(result))} and are {asked['concurrencies']}")
    if odd:
        raise ResultError(
            f"{name} cannot be compared with this test: {', '.join(odd)}. Set load_test_* as they were then."
        )


def groups(result: Result) -> dict[int, list[Run]]:
    """The runs by how many requests were at once, the fewest first."""
    found: dict[int, list[Run]] = {}
    for run in sorted(result["runs"], key=lambda run: int(run["concurrency"])):
        found.setdefault(run["concurrency"], []).append(run)
    return found


def value(run: Run, figure: str) -> float | None:
    """A figure by its name, such as first_token.p99; None where it was not measured."""
    found: t.Any = run
    for part in figure.split("."):
        found = (found or {}).get(part)
    return None if found is None else float(found)


def values(runs: list[Run], figure: str) -> list[float]:
    """Of all runs that have it, the lowest first."""
    return sorted(one for one in (value(run, figure) for run in runs) if one is not None)


def middle(sorted_values: list[float]) -> float | None:
    """The median."""
    count = len(sorted_values)
    return (sorted_values[(count - 1) // 2] + sorted_values[count // 2]) / 2 if count else None
