# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU of the control node for each node when there are more of them: playbooks/prepare.yml alone, converged.

Light nodes are the lab's own, with systemd, sshd and Python, but get no model, no engine and no Ray. All are launched
once; an inventory of the first so many of them is what a smaller fleet has.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import yaml

from tests.bench.fleet import BIN, REPOSITORY, Fleet, Runs, command
from tests.bench.record import counted

COUNTS = (4, 16, 64)
INVENTORY = "inventory/lab-light"
PREPARE = "playbooks/prepare.yml"


def measure(runs: Runs, counts: tuple[int, ...], rounds: int, found: dict) -> None:
    """Into `found` seconds of CPU and of the clock of each run, by the number of nodes; the lab is to be down."""
    command([sys.executable, "-m", "lab", "light", "--nodes", str(max(counts))])
    before = available()
    command([BIN / "ansible-playbook", "-i", INVENTORY, "tests/bench/light.yml"])
    fleet = Fleet(INVENTORY)
    smaller = {count: part(fleet, count, runs.folder / f"light-{count}") for count in counts}
    runs.play("light-first", smaller[max(counts)], PREPARE)
    found["memory_gib"] = round(before - available(), 1)
    seen: dict[str, list[dict]] = found.setdefault("runs", {})
    for number in range(rounds):
        for count in counts:
            cost, record = runs.play(f"light-{count}-{number}", smaller[count], PREPARE)
            tasks = [mine for host, mine in counted(record).items() if host != "localhost"]
            run = sum(mine["run"] for mine in tasks)
            seen.setdefault(str(count), []).append({"cpu": cost.cpu, "wall": cost.wall, "host_tasks": run})


def part(fleet: Fleet, count: int, folder: Path) -> str:
    """A static inventory of the first so many nodes; returns its path."""
    shared = REPOSITORY / INVENTORY / "group_vars/all.yml"
    values = yaml.safe_load(shared.read_text(encoding="utf-8"))
    names = sorted(fleet.hosts)[:count]
    own = {name: {key: value for key, value in fleet.hosts[name].items() if values.get(key) != value} for name in names}
    groups = {"head": names[:1], "workers": names[1:]}
    children = {group: {"hosts": {name: own[name] for name in members}} for group, members in groups.items()}
    (folder / "group_vars").mkdir(parents=True, exist_ok=True)
    (folder / "hosts.json").write_text(json.dumps({"all": {"children": children}}), encoding="utf-8")
    text = json.dumps(values | {"gh200_size": count})
    (folder / "group_vars/all.json").write_text(text, encoding="utf-8")
    return str(folder)


def available() -> float:
    """GiB of memory that are free for programs."""
    for line in Path("/proc/meminfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) / 2**20
    raise OSError("/proc/meminfo has no MemAvailable")
