# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of the lab from nothing, and again: the first run over its critical path, bytes, and what a converged run
costs against checks by hand.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterator

from tests.bench import checks, path, traffic
from tests.bench.cost import Cost, Meter
from tests.bench.fleet import INVENTORY, WARM, Fleet, Runs, command
from tests.bench.record import counted

WORST = 15


def measure(runs: Runs, nodes: int, rounds: int, found: dict) -> None:
    """Into `found`, so that what is known is kept. The lab is to be down, and is up when this returns."""
    command([sys.executable, "-m", "lab", "up", "--nodes", str(nodes)])
    with traffic.counting():
        found["first"] = run_first(runs)
        fleet = Fleet()
        found["bytes"] = told(traffic.seen(fleet))
    found["converged"] = {"head": fleet.head, "runs": []}
    with warm(fleet) as options:
        for number in range(rounds):
            costs, tasks = once(runs, fleet, f"converged-{number}", options)
            row = {name: cost._asdict() for name, cost in costs.items()} | {"tasks": tasks}
            found["converged"]["runs"].append(row)


def run_first(runs: Runs) -> dict:
    """The first run of site.yml, and its chain."""
    cost, record = runs.play("first", INVENTORY, "site.yml")
    found = path.chain(record, runs.progress("first"))
    return {
        "wall": cost.wall,
        "cpu": cost.cpu,
        "path": found.seconds,
        "steps": [step._asdict() for step in found.steps],
        "idle": found.idle,
        "around": cost.wall - (max(line["end"] for line in record) - min(line["begin"] for line in record)),
        "rest": [rest._asdict() | {"off_path": rest.off_path} for rest in found.tasks[:WORST]],
    }


def once(runs: Runs, fleet: Fleet, name: str, options: list[str]) -> tuple[dict[str, Cost], dict]:
    """One round, in turn, so that what else the machine does falls on all: costs, and host-tasks of site.yml."""
    head = fleet.hosts[fleet.head]["gh200_address"]
    whole, looks = checks.typed(checks.WHOLE, head), checks.typed(checks.LOOKS, head)
    costs = {
        "whole_warm": by_hand(runs.meter, fleet, whole, options),
        "looks_warm": by_hand(runs.meter, fleet, looks, options),
        "looks_cold": by_hand(runs.meter, fleet, looks, ["-o", "ControlPath=none"]),
    }
    costs["site"], record = runs.play(name, INVENTORY, "site.yml")
    return costs, counted(record)


@contextlib.contextmanager
def warm(fleet: Fleet) -> Iterator[list[str]]:
    """ssh's options for connections that are open already, until the block ends."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        options = [*WARM, "-o", f"ControlPath={folder}/%C"]
        fleet.everywhere("true", options)
        try:
            yield options
        finally:
            for host in fleet.hosts:
                command(["ssh", "-O", "exit", *fleet.ssh(host, "", options)[1:-1]])


def by_hand(meter: Meter, fleet: Fleet, commands: list[str], options: list[str]) -> Cost:
    """Each on all nodes at once, one after the other."""
    with meter.counting() as cost:
        for text in commands:
            fleet.everywhere(text, options)
    return cost[0]


def told(moved: traffic.Bytes) -> dict:
    """With both ratios."""
    return moved._asdict() | {"hub_ratio": moved.hub_ratio, "node_ratio": moved.node_ratio}
