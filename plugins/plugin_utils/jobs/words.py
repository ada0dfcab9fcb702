# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Progress in words: one line for one job, whether one host runs it or many. Pure.

An entry is what is known of a job on one host: state (running, finished), seconds, what and the other keys of a
progress, seconds_left (None where nobody knows), usual (seconds of an earlier run, None without one).
"""

from __future__ import annotations

import typing as t

Entry = dict[str, t.Any]

UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))
WITHOUT_MEASURE = 30  # seconds for which it is told that no earlier run tells the time


def line(label: str, entries: dict[str, Entry]) -> str:
    """The line about a job on these hosts."""
    if len(entries) == 1:
        [(host, entry)] = entries.items()
        return f"[{host}] {label}: {one(entry)}"
    return f"[{len(entries)} nodes] {label}: {all_of(entries)}"


def one(entry: Entry) -> str:
    """How far one host is."""
    if entry["state"] == "finished":
        return f"done ({clock(entry['seconds'])})"
    return ", ".join(filter(None, (f"{position(entry)} ({clock(entry['seconds'])})", time_left(entry))))


def all_of(entries: dict[str, Entry]) -> str:
    """How far they are together, and which is the slowest."""
    running = {host: entry for host, entry in entries.items() if entry["state"] == "running"}
    done = len(entries) - len(running)
    if not running:
        return "done on all"
    whole, last = together(entries), slowest(running)
    count = f"{done} done" if done else ""
    if whole["total"] is None:
        return f"{count + '; ' if count else ''}slowest {last}: {one(running[last])}"
    share = f"{100 * _done(running[last]) / running[last]['total']:.0f} %"
    told = filter(None, (position(whole), time_left(whole), count))
    return f"{', '.join(told)}; slowest {last}, {share}"


def together(entries: dict[str, Entry]) -> Entry:
    """An entry of all hosts: sums of what is done, the longest time. `total` is None where it is not known of all."""
    running = [entry for entry in entries.values() if entry["state"] == "running"]
    counted = [entry for entry in entries.values() if entry.get("total")]
    units = {entry.get("unit", "") for entry in counted}
    is_known = len(units) == 1 and all(entry.get("total") for entry in running)
    left = [entry["seconds_left"] for entry in running if entry.get("seconds_left") is not None]
    return {
        "state": "running" if running else "finished",
        "seconds": max((entry["seconds"] for entry in entries.values()), default=0),
        "seconds_left": max(left) if left and len(left) == len(running) else None,
        "usual": max((entry.get("usual") or 0 for entry in running), default=0) or None,
        "done": sum(_done(entry) for entry in counted) if is_known else None,
        "total": sum(entry["total"] for entry in counted) if is_known else None,
        "unit": next(iter(units)) if is_known else "",
        "rate": (sum(entry.get("rate") or 0 for entry in running) or None) if is_known else None,
    }


def slowest(running: dict[str, Entry]) -> str:
    """The host that will be the last one: by its time, else by what it has done of what it must."""

    def rank(host: str) -> tuple[float, float, str]:
        entry = running[host]
        share = _done(entry) / entry["total"] if entry.get("total") else (entry.get("step") or 0) / 1000
        return -(entry.get("seconds_left") or 0), share, host

    return min(running, key=rank)


def position(entry: Entry) -> str:
    """Step, words, amount and rate, as far as they are known."""
    parts = []
    if entry.get("step") and entry.get("steps"):
        parts.append(f"step {entry['step']:.0f} of {entry['steps']:.0f}")
    if entry.get("what"):
        parts.append(entry["what"])
    if entry.get("total"):
        parts.append(amount(entry))
    return ", ".join(parts) or "running"


def amount(entry: Entry) -> str:
    """How much of how much, and how fast."""
    done, total, unit, rate = entry.get("done") or 0, entry["total"], entry.get("unit", ""), entry.get("rate")
    if unit != "bytes":
        return f"{done:.0f} of {total:.0f}{' ' + unit if unit else ''}"
    scale, name = next((pair for pair in UNITS if total >= pair[0]), UNITS[-1])
    text = f"{done / scale:.1f} of {total / scale:.1f} {name}"
    return f"{text}, {_bytes(rate)}/s" if rate else text


def time_left(entry: Entry) -> str:
    """What is known of the time to come."""
    left, usual = entry.get("seconds_left"), entry.get("usual")
    if left is None:
        return "no earlier run tells how long it takes" if entry["seconds"] <= WITHOUT_MEASURE else ""
    if left <= 0:
        return f"longer than the {' '.join(_round(usual))} of last time" if usual else "nearly done"
    (number, unit), (whole, whole_unit) = _round(left), _round(entry["seconds"] + left)
    return f"about {number} {unit} left of {whole}{'' if unit == whole_unit else ' ' + whole_unit}"


def clock(seconds: float) -> str:
    """Short: 59s, 1m00s, 62m05s."""
    whole = int(seconds)
    return f"{whole // 60}m{whole % 60:02d}s" if whole >= 60 else f"{whole}s"


def _round(seconds: float) -> tuple[str, str]:
    if seconds < 55:
        return str(max(5, round(seconds / 5) * 5)), "s"
    if seconds < 99.5 * 60:
        return str(max(1, round(seconds / 60))), "min"
    return f"{seconds / 3600:.1f}", "h"


def _done(entry: Entry) -> float:
    """What has ended well has done all, whatever its program told last."""
    return entry["total"] if entry["state"] == "finished" else min(entry.get("done") or 0, entry["total"])


def _bytes(number: float) -> str:
    scale, name = next((pair for pair in UNITS if number >= pair[0]), UNITS[-1])
    return f"{number / scale:.0f} {name}" if number / scale >= 10 else f"{number / scale:.1f} {name}"
