# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a line of the ledger must be, so that nothing that stands in the file can stop a run. Pure."""

from __future__ import annotations

import json
import re
import typing as t

from .history import Event

Check = t.Callable[[t.Any], bool]


def is_text(value: t.Any) -> bool:
    """Any, also an empty one."""
    return isinstance(value, str)


def is_id(value: t.Any) -> bool:
    """Of an instance."""
    return is_text(value) and value != ""


def is_run(value: t.Any) -> bool:
    """As a launch is called here: it becomes the name of a file."""
    return is_text(value) and re.fullmatch(r"[0-9a-z][0-9a-z-]{0,63}", value) is not None


def is_number(value: t.Any) -> bool:
    """Finite, not below zero, and no larger than a date or a price can be."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e11


def is_whole(value: t.Any) -> bool:
    """Cents."""
    return is_number(value) and isinstance(value, int)


LAUNCH: dict[str, Check] = {"node": is_text, "run": is_run}
SEEN: dict[str, Check] = {"id": is_id}
# What each event must have. Beside that it may have what OPTIONAL tells, and anything else.
NEEDED: dict[str, dict[str, Check]] = {
    "intend": LAUNCH,
    "unclear": LAUNCH,
    "refused": LAUNCH,
    "lost": LAUNCH,
    "launched": LAUNCH | SEEN,
    "adopted": SEEN | {"node": is_text, "run": is_text},
    "price": SEEN | {"price_cents_per_hour": is_whole},
    "terminate": SEEN,
    "terminated": SEEN,
    "ending": SEEN,
    "gone": SEEN,
    "alive": SEEN,
    "closed": {},
}
OPTIONAL: dict[str, Check] = {
    "node": is_text,
    "why": is_text,
    "instance_type": is_text,
    "region": is_text,
    "price_cents_per_hour": is_whole,
    "begin": lambda value: value is None or is_number(value),
}


def parse(line: bytes) -> Event | None:
    """The event that a line tells of, or None for a line that this version cannot have written."""
    try:
        event = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    if (
        not isinstance(event, dict)
        or not is_number(event.get("time"))
        or not is_text(event.get("event"))
        or event["event"] not in NEEDED
    ):
        return None
    needed = NEEDED[event["event"]]
    if not all(name in event and check(event[name]) for name, check in needed.items()):
        return None
    return event if all(check(event[name]) for name, check in OPTIONAL.items() if name in event) else None
