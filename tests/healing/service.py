# SPDX-License-Identifier: GPL-3.0-or-later
"""The service of a lab that runs: what the watchdog says, faults that are made by exact pid, and what is left."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time

from lab.config import Paths
from lab.nodes import cgroups
from lab.nodes.driver import NodeDriver
from tests.e2e.running import inventory, on, server

# Placement groups and actors that live, as Ray's own state has them; run by the engine's Python.
LIVING = """
import json, sys, ray
from ray.util.state import list_actors, list_placement_groups
ray.init(address=sys.argv[1], log_to_driver=False, logging_level="critical")
actors = [actor.class_name for actor in list_actors(filters=[("state", "=", "ALIVE")])]
groups = [group.state for group in list_placement_groups() if group.state != "REMOVED"]
print(json.dumps({"actors": actors, "groups": groups}))
"""

# In either hierarchy.
UNIT_PROCESSES = " ".join(f"/sys/fs/cgroup/{tree}system.slice/ray.service/cgroup.procs" for tree in ("systemd/", ""))


class Service:
    """Head, workers and endpoint."""

    def __init__(self):
        self.head, self.nodes = inventory()
        self.workers = sorted(set(self.nodes) - {self.head})
        self.server = server()
        self.settings = json.loads(self.on(self.head, "sudo cat /etc/gh200/watchdog.json"))

    def on(self, name: str, command: str) -> str:
        """Output of a command on a node."""
        return on(self.nodes[name], command)

    # What is said.

    def state(self) -> dict:
        """What the watchdog knows, or nothing while the head is away."""
        with contextlib.suppress(AssertionError, ValueError):
            return json.loads(self.on(self.head, f"curl -s --max-time 5 http://127.0.0.1:{self.settings['port']}/"))
        return {"ready": False, "phase": "away", "reason": "", "culprits": [], "warnings": [], "nodes": {}, "since": ""}

    def until(self, holds, seconds: float, what: str) -> float:
        """Seconds until `holds(state)`; AssertionError with the last state."""
        began = time.monotonic()
        while not holds(state := self.state()):
            assert time.monotonic() - began < seconds, f"{what}: not within {seconds:.0f} s; {state}"
            time.sleep(0.5)
        return time.monotonic() - began

    def named(self, name: str, words: str, seconds: float) -> float:
        """Seconds until the node is named, as a culprit or in a warning, with these words."""

        def is_named(state):
            return any(
                found["node"] == name and words in found["what"] for found in state["culprits"] + state["warnings"]
            )

        return self.until(is_named, seconds, f"{name} named with {words!r}")

    def noticed(self, seconds: float = 90) -> float:
        """Seconds until it is no longer ready."""
        return self.until(lambda state: not state["ready"], seconds, "noticed")

    def ready(self, seconds: float = 300) -> float:
        """Seconds until it is."""
        return self.until(lambda state: state["ready"], seconds, "ready")

    # What is done to it.

    def main_pid(self) -> int:
        """Of the engine, as its node numbers it."""
        return int(self.on(self.head, "systemctl show vllm --value --property MainPID"))

    def rank(self, name: str) -> int:
        """The process of the node's rank."""
        (rank,) = self.state()["nodes"][name]["ranks"]
        return rank["pid"]

    def processes_of_ray(self, name: str) -> dict[int, str]:
        """Process to command line of everything in the node's unit."""
        lines = self.on(
            name,
            f"for pid in $(cat {UNIT_PROCESSES} 2>/dev/null | sort -u); "
            "do echo $pid $(tr '\\0' ' ' </proc/$pid/cmdline); done",
        )
        return {int(pid): title for pid, dummy, title in (line.partition(" ") for line in lines.splitlines())}

    def raylet(self, name: str) -> int:
        """The process of Ray itself on a node."""
        (pid,) = [pid for pid, title in self.processes_of_ray(name).items() if "/raylet/raylet " in title]
        return pid

    def signal(self, name: str, number: int, pid: int) -> None:
        """To that process."""
        self.on(name, f"sudo kill -{number} {pid}")

    @contextlib.contextmanager
    def cut(self, name: str):
        """The node's two networks are gone, until the block ends."""
        number = self._node(name).number
        links = [f"gheth{index}-{number}" for index in (0, 1)]
        try:
            for link in links:
                subprocess.run(["ip", "link", "set", link, "down"], check=True)
            yield
        finally:
            for link in links:
                subprocess.run(["ip", "link", "set", link, "up"], check=True)

    @contextlib.contextmanager
    def memory_limit(self, name: str, more: int):
        """The node may use so many bytes more than it does, until the block ends."""
        files = [
            (folder / limit, folder / used, none)
            for folder in cgroups.folders(self._node(name).cgroup)
            for limit, used, none in (
                ("memory.limit_in_bytes", "memory.usage_in_bytes", "-1"),
                ("memory.max", "memory.current", "max"),
            )
            if (folder / limit).exists()
        ]
        limit, used, none = files[0]
        try:
            limit.write_text(str(int(used.read_text(encoding="utf-8")) + more), encoding="utf-8")
            yield
        finally:
            limit.write_text(none, encoding="utf-8")

    def _node(self, name: str):
        """The lab's record of it."""
        return NodeDriver(Paths()).get(self.nodes[name]["lambda_id"])

    # What is left.

    def left_over(self) -> list[str]:
        """Sentences on what a healed service must not have: more ranks, groups, actors or servers than it needs."""
        wrong = [
            f"{name} has {len(node['ranks'])} ranks"
            for name, node in self.state()["nodes"].items()
            if len(node["ranks"]) != 1
        ]
        python, address = self.settings["python"], self.settings["ray"]
        living = json.loads(self.on(self.head, f"{python} -c '{LIVING}' {address}").splitlines()[-1])
        if living["groups"] != ["CREATED"]:
            wrong.append(f"placement groups: {living['groups']}")
        ranks = [actor for actor in living["actors"] if actor.startswith("RayWorker")]
        if len(ranks) != len(self.nodes):
            wrong.append(f"actors: {living['actors']}")
        for name in self.nodes:
            titles = self.processes_of_ray(name).values()
            for part in ("/raylet/raylet ", "ray_node.py"):
                if sum(part in title for title in titles) != 1:
                    wrong.append(f"{name} has {sum(part in title for title in titles)} processes of {part}")
        return wrong
