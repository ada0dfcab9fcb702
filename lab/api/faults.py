# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong: faults of calls, and fates of instances."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass

ACTS = ("refuse", "error", "drop", "garbage", "half", "rate", "edge", "redirect", "slow", "lie", "lag")
SHAPES = ("text", "json", "retry-after", "everywhere", "nowhere")
KINDS = ("stuck", "unhealthy", "vanish", "preempt", "no-ip", "no-private-ip", "late-filesystem", "unknown-status")


@dataclass
class Fault:
    """`skip` calls of `on` pass, then it hits `times` of them (0: until cleared). A wrong value is a ValueError.

    `on` is "METHOD /path" as documented, where {id} is any one segment, or "*". `when` is before or after the API has
    acted.
    `code` and `status` are those of "refuse" and "error"; `seconds` are real ones for "slow", simulated ones for "lag";
    `shape` is how a 429 looks, or where a catalogue that lies shows capacity.
    """

    on: str = "*"
    do: str = "refuse"
    when: str = "before"
    times: int = 1
    skip: int = 0
    code: str = ""
    status: int = 0
    seconds: float = 0.0
    shape: str = "text"
    hits: int = 0

    def __post_init__(self) -> None:
        for name, allowed in (("do", ACTS), ("when", ("before", "after")), ("shape", SHAPES)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"A fault cannot have {name} '{getattr(self, name)}': use {', '.join(allowed)}.")
        check_numbers(self, "times", "skip", "status", "seconds")
        if self.on != "*" and not re.fullmatch(r"[A-Z]+ /\S*", self.on):
            raise ValueError(f"A fault cannot be on '{self.on}': use 'METHOD /path' without /api/v1, or '*'.")
        self.pattern = ".*" if self.on == "*" else "[^/]+".join(map(re.escape, re.split(r"\{[a-z_]+\}", self.on)))

    def meets(self, call: str) -> bool:
        """Whether this call is the one to hit; a call that is let pass is counted."""
        if not re.fullmatch(self.pattern, call) or (self.times and self.hits >= self.times):
            return False
        if self.skip:
            self.skip -= 1
            return False
        return True


@dataclass
class Fate:
    """Of `times` instances after `skip` (0: of all), `after` seconds from their launch.

    A wrong kind is a ValueError.
    """

    kind: str
    after: float = 0.0
    times: int = 1
    skip: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"An instance cannot have the fate '{self.kind}': use {', '.join(KINDS)}.")
        check_numbers(self, "after", "times", "skip")


def check_numbers(thing: Fault | Fate, *names: str) -> None:
    """ValueError for what is no number, or below zero."""
    for name in names:
        value = getattr(thing, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise ValueError(f"A {type(thing).__name__.lower()} cannot have {name} {value!r}: use a number, 0 or more.")


class Faults:
    """Those that are set. Every fault counts its calls by itself; of several that are due, the first one hits."""

    def __init__(self) -> None:
        self.items: list[Fault] = []
        self.fates: list[Fate] = []
        self.lock = threading.Lock()
        self.doom: Callable[[str, str, float], None] | None = None  # by the cloud: id, kind, seconds from now

    def add(self, *faults: Fault) -> None:
        """Set them, after those that are there."""
        with self.lock:
            self.items.extend(faults)

    def fate(self, kind: str, after: float = 0.0, times: int = 1, skip: int = 0, id: str = "") -> None:
        """Of coming launches; or of the instance with this id, `after` seconds from now (KeyError if there is none)."""
        fate = Fate(kind, after, times, skip)
        if id:
            if self.doom is None:
                raise KeyError(f"There is no instance {id}.")
            self.doom(id, kind, after)
            return
        with self.lock:
            self.fates.append(fate)

    def clear(self) -> None:
        """Coming calls and launches succeed; what has a fate keeps it."""
        with self.lock:
            self.items.clear()
            self.fates.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault of this call, counted."""
        with self.lock:
            due = [fault for fault in self.items if fault.meets(f"{method} {path}")]
            if not due:
                return None
            due[0].hits += 1
            return due[0]

    def draw(self) -> list[Fate]:
        """The fates of an instance that is launched now, counted."""
        drawn = []
        with self.lock:
            for fate in self.fates:
                if fate.skip:
                    fate.skip -= 1
                elif not fate.times or fate.hits < fate.times:
                    fate.hits += 1
                    drawn.append(fate)
        return drawn
