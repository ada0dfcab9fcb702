# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a load test is within its limits, and what is told of it."""

from __future__ import annotations

import typing as t

from .compare import compare
from .result import Result, Run, groups, middle, values

Limits = dict[str, t.Any]


def judge(result: Result, limits: Limits, earlier: Result | None = None) -> dict[str, t.Any]:
    """The result, failures (sentences), compared (lines of compare()), lines to show, and what the report takes."""
    compared = compare(earlier, result) if earlier else []
    failures = _failures(result, limits) + (_slower(compared, earlier) if limits["fail_if_slower"] and earlier else [])
    page = {
        "result": _light(result),
        "earlier": _light(earlier) if earlier else None,
        "failures": failures,
        "compared": compared,
        "thresholds": told(limits),
    }
    lines = [_line(concurrency, runs) for concurrency, runs in groups(result).items()]
    lines += [
        f"{line['concurrency']} at once, {line['label']}: {line['change']:+.1%}, {line['says']}" for line in compared
    ]
    return {"result": result, "page": page, "failures": failures, "compared": compared, "lines": lines}


def told(limits: Limits) -> list[str]:
    """The limits that are set, in words."""
    words = [f"failed requests {limits['max_error_rate']:.1%} at the most"]
    if limits["min_tokens_per_second"]:
        words.append(f"{limits['min_tokens_per_second']:g} tokens per second at the least")
    if limits["max_first_token_p99"]:
        words.append(f"first token, p99, {limits['max_first_token_p99']:g} s at the most")
    if limits["max_inter_token_p99"]:
        words.append(f"between tokens, p99, {limits['max_inter_token_p99']:g} s at the most")
    return words + (["not slower than the earlier test"] if limits["fail_if_slower"] else [])


def at_once(many: int) -> str:
    """In words."""
    return f"{many} request{'s' if many != 1 else ''} at once"


def _failures(result: Result, limits: Limits) -> list[str]:
    runs = result["runs"]
    asked, failed = sum(run["requests"] for run in runs), sum(run["failed"] for run in runs)
    found = []
    if failed / asked > limits["max_error_rate"]:
        reasons: dict[str, int] = {}
        for error in (error for run in runs for error in run["errors"]):
            reasons[error["text"]] = reasons.get(error["text"], 0) + error["count"]
        first = max(reasons, key=lambda text: reasons[text])
        found.append(
            f"{failed} of {asked} requests failed ({failed / asked:.1%}, allowed are {limits['max_error_rate']:.1%}), "
            f"{reasons[first]} of them with: {first}."
        )
    if not any(run["completed"] for run in runs):
        return [*found, f"None of {asked} requests was answered whole."]
    best = max((middle(values(group, "tokens_per_second")) or 0, many) for many, group in groups(result).items())
    if best[0] < limits["min_tokens_per_second"]:
        found.append(
            f"The best is {best[0]:.1f} tokens per second, with {at_once(best[1])}, "
            f"and {limits['min_tokens_per_second']:g} are the least."
        )
    found += _slowest(result, "first_token.p99", "The first token", limits["max_first_token_p99"])
    return found + _slowest(result, "inter_token.p99", "The time between tokens", limits["max_inter_token_p99"])


def _slowest(result: Result, figure: str, what: str, limit: float) -> list[str]:
    """A sentence where the slowest concurrency is above the limit."""
    found = [(middle(values(runs, figure)) or 0, many) for many, runs in groups(result).items()]
    worst, many = max(found)
    if not limit or worst <= limit:
        return []
    return [f"{what} has a p99 of {worst:.3f} s with {at_once(many)}, and {limit:g} s are the most."]


def _slower(compared: list[dict[str, t.Any]], earlier: Result | None) -> list[str]:
    """A sentence that names the worst figure, of those that are beyond the spread."""
    worse = [line for line in compared if line["beyond"] and not line["better"]]
    if not worse or earlier is None:
        return []
    line = max(worse, key=lambda one: abs(one["change"]))
    return [
        f"With {at_once(line['concurrency'])}, {line['label']} is {line['now']:.4g}, "
        f"and was {line['earlier']:.4g} in the test of {earlier['made']} ({line['change']:+.1%}): "
        "slower, beyond the spread of the runs."
    ]


def _line(concurrency: int, runs: list[Run]) -> str:
    rates = values(runs, "tokens_per_second")
    first, between = middle(values(runs, "first_token.p50")), middle(values(runs, "inter_token.p50"))
    failed = sum(run["failed"] for run in runs)
    spread = f" ({rates[0]:.1f} to {rates[-1]:.1f} in {len(rates)} runs)" if len(rates) > 1 else ""
    times = "" if first is None else f", first token after {first:.3f} s"
    times += "" if between is None else f", then one each {between:.4f} s"
    return f"{concurrency} at once: {middle(rates) or 0:.1f} tokens/s{spread}{times}, {failed} failed"


def _light(result: Result) -> Result:
    """Without the single requests, which no chart shows."""
    runs = [{key: part for key, part in run.items() if key != "samples"} for run in result["runs"]]
    return {**result, "runs": runs}
