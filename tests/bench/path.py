# SPDX-License-Identifier: GPL-3.0-or-later
"""The critical path of a run of site.yml, from what the run wrote down. Pure.

Something long is a host-task of a second or more; for a job its own seconds on the node count, not those of the task
that waits for it. Long things of one role follow each other on a node, and a role lasts as long as on its slowest node.
Roles follow each other in this order, after each launch of nodes; downloads go on beside the engine's build. What is
short, and what Ansible itself takes between tasks, is not on the path: that is the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

LONG = 1.0
LAUNCH = "lambda_fleet"
BEFORE = ("gpu_check", "unattended_upgrades", "shared_mount", "nfs_cache", "python311")
BESIDE = (("hf_models",), ("venv", "vllm_build"))
AFTER = ("collective_check", "ray_cluster", "vllm_serve")


class Step(NamedTuple):
    """One link of the chain: after which launch, a role (or the launch itself), its slowest node, seconds there."""

    launch: int
    name: str
    host: str
    seconds: float


class Rest(NamedTuple):
    """A task of the run: seconds from its first host's begin to its last one's end, and how many are on the path."""

    name: str
    span: float
    on_path: float

    @property
    def off_path(self) -> float:
        """What would be saved if it took no longer than its part of the path."""
        return self.span - self.on_path


class Chain(NamedTuple):
    """The critical path, what each task adds to it, and the seconds in which no task ran."""

    steps: list[Step]
    tasks: list[Rest]
    idle: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return sum(step.seconds for step in self.steps)


class Work(NamedTuple):
    """One long thing."""

    id: str
    launch: int
    name: str
    host: str
    seconds: float


def chain(record: list[dict], progress: list[dict]) -> Chain:
    """`record` as callback_plugins/record.py writes it, `progress` as docs/progress.md tells."""
    works = list(long_things(record, progress))
    links = [link for launch in sorted({work.launch for work in works}) for link in after_launch(works, launch)]
    on_path: dict[str, float] = defaultdict(float)
    for link in links:
        for work in works:
            if (work.launch, work.name, work.host) == (link.launch, link.name, link.host):
                on_path[work.id] += work.seconds
    return Chain(links, list(rests(record, on_path)), idle(record))


def long_things(record: list[dict], progress: list[dict]) -> Iterable[Work]:
    """Each with the launch that it follows: the number of those that had ended when it began."""
    launches = sorted(line["end"] for line in record if kind(line) == LAUNCH)
    jobs = {
        (line["task"], host): (line["time"], entry["seconds"])
        for line in progress
        for host, entry in line["hosts"].items()
        if entry.get("seconds") is not None
    }
    for line in record:
        ended, seconds = jobs.get((line["id"], line["host"]), (line["end"], line["end"] - line["begin"]))
        if seconds >= LONG and kind(line) in {LAUNCH, *BEFORE, *AFTER, *sum(BESIDE, ())}:
            launch = sum(end <= ended - seconds for end in launches) + (kind(line) == LAUNCH)
            yield Work(line["id"], launch, kind(line), line["host"], seconds)


def after_launch(works: list[Work], launch: int) -> list[Step]:
    """The part of the chain from one launch to the next."""

    def slowest(name: str) -> list[Step]:
        on: dict[str, float] = defaultdict(float)
        for work in works:
            if (work.launch, work.name) == (launch, name):
                on[work.host] += work.seconds
        return (
            [max((Step(launch, name, host, seconds) for host, seconds in on.items()), key=lambda step: step.seconds)]
            if on
            else []
        )

    def row(names: Iterable[str]) -> list[Step]:
        return [step for name in names for step in slowest(name)]

    beside = max((row(names) for names in BESIDE), key=lambda steps: sum(step.seconds for step in steps))
    return [*row([LAUNCH, *BEFORE]), *beside, *row(AFTER)]


def rests(record: list[dict], on_path: dict[str, float]) -> Iterable[Rest]:
    """Of each task, those first that lose most. A job that ran in the background may be longer than its task."""
    spans: dict[str, list[dict]] = defaultdict(list)
    for line in record:
        spans[line["id"]].append(line)
    found = []
    for key, mine in spans.items():
        span = max(line["end"] for line in mine) - min(line["begin"] for line in mine)
        role = mine[0]["role"].rsplit(".", 1)[-1]
        name = f"{role} : {mine[0]['task']}" if role else mine[0]["task"]
        found.append(Rest(name, span, min(span, on_path.get(key, 0.0))))
    return sorted(found, key=lambda rest: -rest.off_path)


def idle(record: list[dict]) -> float:
    """Seconds between the first begin and the last end in which no host had a task."""
    total, until = 0.0, None
    for begin, end in sorted((line["begin"], line["end"]) for line in record):
        if until is not None and begin > until:
            total += begin - until
        until = end if until is None else max(until, end)
    return total


def kind(line: dict) -> str:
    """The launch, or the role without the collection's name."""
    return LAUNCH if line["action"].rsplit(".", 1)[-1] == LAUNCH else line["role"].rsplit(".", 1)[-1]
