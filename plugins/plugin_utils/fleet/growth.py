# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a fleet starts whole, or as a head that builds first, and what both cost until the first token. Pure."""

from __future__ import annotations

import dataclasses
import math
import typing as t

BUILD, BUILD_FIRST, AT_ONCE = "build", "build_first", "at_once"
CONTROL_NODE, FILESYSTEM, NOWHERE = "control node", "filesystem", "nowhere needed"
WORDS = {
    "": "No wheels yet: the node builds them.",
    CONTROL_NODE: "The wheels are on the control node.",
    FILESYSTEM: "The wheels are on the filesystem.",
    NOWHERE: "This lane builds nothing.",
}


@dataclasses.dataclass(frozen=True)
class Times:
    """Seconds of the parts of a first run; docs/fleet.md tells where the usual ones come from.

    `alone` is from the launch of the head until it has built, `rest` from the launch of the others until the first
    token, `start` what of that comes after the models are there. `measured` names those that an earlier run took.
    """

    alone: float = 45 * 60.0
    rest: float = 20 * 60.0
    start: float = 10 * 60.0
    measured: frozenset[str] = frozenset()

    PARTS: t.ClassVar[tuple[str, ...]] = ("alone", "rest", "start")

    @classmethod
    def of(cls, noted: dict[str, float]) -> t.Self:
        """Those that were noted, and the usual ones for the others."""
        known = {name: noted[name] for name in cls.PARTS if name in noted}
        return cls(**known, measured=frozenset(known))


@dataclasses.dataclass(frozen=True)
class Question:
    """A fleet of `size` nodes, of which so many run, at a price in cents per hour for each.

    `wheels` tells where the wheels are that it needs: one of the words above, or empty, if they must be built.
    """

    size: int
    running: int
    price_cents_per_hour: int
    wheels: str


class Way(t.NamedTuple):
    """Until its end: minutes, and dollars of all nodes."""

    minutes: int
    dollars: int


def choose(asked: str, wheels: str) -> str:
    """What is done: what was asked for, or with auto what there is to build decides."""
    return asked if asked in (BUILD_FIRST, AT_ONCE) else AT_ONCE if wheels else BUILD_FIRST


def ways(question: Question, times: Times) -> dict[str, Way]:
    """Both ways to the first token, and the build alone, rounded up.

    With all at once the downloads go on while the head builds, and the longer one counts.
    """
    alone, rest = (0.0 if question.wheels else times.alone), times.rest
    whole = max(alone + times.start, rest) if alone else rest
    first = max(1, question.running)
    spans = {
        BUILD: (alone, alone * first),
        BUILD_FIRST: (alone + rest, alone * first + rest * question.size),
        AT_ONCE: (whole, whole * question.size),
    }
    return {
        name: Way(_up(seconds / 60), _up(node_seconds * question.price_cents_per_hour / 360_000))
        for name, (seconds, node_seconds) in spans.items()
    }


def sentences(question: Question, times: Times, growth: str) -> list[str]:
    """What each way costs and takes, and which it is, a line each."""
    both, price = ways(question, times), f"${question.price_cents_per_hour / 100:.2f}/h for each node"
    whole = both[AT_ONCE]
    if question.wheels or question.size == 1:
        what = WORDS[question.wheels]
        nodes = _nodes(question.size)
        return [
            f"{what} {nodes}: about ${whole.dollars} and {whole.minutes} min until the first token, at {price}; "
            f"{_source(times, question)}."
        ] + ([f"Doing {growth}, as told."] if growth == BUILD_FIRST and question.size > 1 else [])
    first, other = both[BUILD_FIRST], AT_ONCE if growth == BUILD_FIRST else BUILD_FIRST
    return [
        f"No wheels yet. {BUILD_FIRST}: {_nodes(max(1, question.running))} for about {both[BUILD].minutes} min, then "
        f"{question.size}: about ${first.dollars} and {first.minutes} min until the first token.",
        f"{AT_ONCE}: {_nodes(question.size)} from the start: about ${whole.dollars} and {whole.minutes} min.",
        f"At {price}; {_source(times, question)}. Doing {growth}; -e gh200_growth={other} for the other.",
    ]


def build_sentence(question: Question, times: Times) -> str:
    """What it costs to have the wheels on the control node, and no more."""
    if question.wheels in (CONTROL_NODE, NOWHERE):
        return f"{WORDS[question.wheels]} Nothing is to be done."
    if question.wheels:
        return f"{WORDS[question.wheels]} A node brings them to the control node in some minutes."
    minutes, dollars = ways(question, times)[BUILD]
    return f"No wheels yet. They take {_nodes(max(1, question.running))} for about {minutes} min: about ${dollars}."


def took(moments: dict[str, float], builds: bool) -> dict[str, float]:
    """Seconds of the parts that a run tells, as Times has them.

    `moments` are seconds since 1970: began, built, grew (the others were launched), fetched, served.
    """
    spans = {"start": ("fetched", "served"), "rest": ("grew" if builds else "began", "served")}
    if builds:
        spans["alone"] = ("began", "built")
    return {
        name: round(moments[end] - moments[begin], 1)
        for name, (begin, end) in spans.items()
        if begin in moments and end in moments and moments[end] > moments[begin]
    }


def _source(times: Times, question: Question) -> str:
    needed = {"rest"} if question.wheels else set(Times.PARTS)
    known = needed & times.measured
    if known == needed:
        return "times are those of an earlier run"
    return "times are the usual ones" if not known else "times are in part those of an earlier run"


def _nodes(number: int) -> str:
    return f"{number} node{'' if number == 1 else 's'}"


def _up(number: float) -> int:
    """At least 1, and no cent and no minute less than it is."""
    return max(1, math.ceil(number - 1e-9))
