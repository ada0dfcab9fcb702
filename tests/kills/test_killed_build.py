# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet whose head compiles vLLM: the hub fails a worker meanwhile, and then the build is killed in its middle.

The tests are one story and run in the order of this file. The build is real, and is ended when it has gone on.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request

import pytest
import yaml

from tests.e2e.running import BIN, REPOSITORY, inventory, on, shown

JOB = "gh200-job-vllm-wheel"
WORK = "/var/tmp/gh200-killed-build"
# What ninja has finished: its log has a line for each, begin, end, time, path, command.
FINISHED = (
    f"find {WORK} -name .ninja_log -exec cat {{}} + 2>/dev/null | grep -v '^#' | cut -f 4 | grep '[.]o$' | sort -u"
)
STAMPS = f"find {WORK} -name '*.o' -printf '%P %T@\\n' 2>/dev/null"
SECONDS = 1200


class Site:
    """site.yml, which runs."""

    def __init__(self, log, arguments):
        self.log = log
        with log.open("wb") as output:
            command = [BIN / "ansible-playbook", "-i", "inventory/lab", "site.yml", *arguments]
            self.process = subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT)

    def said(self):
        """All of its output so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def until(self, true):
        """Wait, while it runs."""
        deadline = time.monotonic() + SECONDS
        while not true():
            assert self.process.poll() is None and time.monotonic() < deadline, self.said()
            time.sleep(2)

    def end(self):
        """Status and output, when it has ended."""
        status = self.process.wait(timeout=SECONDS)
        print(self.said())
        return status, self.said()


class Fleet:
    """Two nodes, a stage on each, and nothing built that they could use."""

    def __init__(self, folder):
        self.folder, self.runs = folder, 0
        values = yaml.safe_load((REPOSITORY / "inventory/lab/group_vars/all.yml").read_text(encoding="utf-8"))
        self.hub = values["gh200_hub_endpoint"]
        others = {
            "gh200_growth": "at_once",
            "gh200_pipeline_parallel": 2,
            "gh200_tensor_parallel": 1,
            "gh200_download_source": "hub",
            "gh200_wheel_cache": str(folder / "wheels"),
            "vllm_build_workdir": WORK,
        }
        self.arguments = ["-e", json.dumps(others)]

    def begin(self):
        """site.yml once more."""
        self.runs += 1
        return Site(self.folder / f"{self.runs}.log", self.arguments)

    def head(self, command):
        """Output of a command on the node that builds."""
        head, nodes = inventory()
        return on(nodes[head], command)

    def is_building(self):
        """Whether the job runs."""
        return self.head(f"systemctl show --property ActiveState --value {JOB}").strip() in ("active", "activating")

    def finished(self):
        """Paths of the objects that are compiled."""
        return self.head(f"{FINISHED} || true").split()

    def stamps(self):
        """Path to the time of each object."""
        return dict(line.split() for line in self.head(STAMPS).splitlines())

    def faults(self, *faults):
        """Faults of the hub, in the place of former ones."""
        request = urllib.request.Request(f"{self.hub}/lab/faults", json.dumps(faults).encode(), method="PUT")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status < 300


def shards_of_the_last_stage_alone():
    """What the head does not fetch: shards that have layers of the last stage and nothing else."""
    folder = REPOSITORY / ".lab/cache/hub/repos/gh200/DeepSeek-V3-tiny"
    layers = json.loads((folder / "config.json").read_text(encoding="utf-8"))["num_hidden_layers"]
    places = json.loads((folder / "model.safetensors.index.json").read_text(encoding="utf-8"))["weight_map"]
    stage = {f"model.layers.{number}" for number in range((layers + 1) // 2, layers)}
    parts: dict[str, set[str]] = {}
    for tensor, file in places.items():
        parts.setdefault(file, set()).add(".".join(tensor.split(".")[:3]))
    return sorted(file for file, names in parts.items() if names <= stage)


@pytest.fixture(name="fleet", scope="module")
def two_nodes(tmp_path_factory):
    assert shown("make", "--no-print-directory", "lab-down")[0] == 0
    assert shown(sys.executable, "-m", "lab", "up", "--nodes", "2")[0] == 0
    fleet = Fleet(tmp_path_factory.mktemp("build"))
    yield fleet
    assert shown("make", "--no-print-directory", "lab-down")[0] == 0


def test_a_hub_that_fails_a_worker_ends_the_waiting_for_the_build(fleet):
    shards = shards_of_the_last_stage_alone()
    assert shards
    # Slow until the build has begun, and then refused.
    match = f"({'|'.join(map(re.escape, shards))})$"
    fleet.faults({"match": match, "rate": 5000})
    site = fleet.begin()
    site.until(lambda: "vllm_build : Make the wheels]" in site.said())
    site.until(fleet.is_building)
    fleet.faults({"match": match, "status": 403})
    status, output = site.end()
    assert status != 0
    # Nobody waits for it, and it goes on.
    assert fleet.is_building() and not re.search(r"TASK .*Install vLLM into the environment", output)
    assert "does not wait for Build the wheel of vLLM any more, since r1-01 has failed" in output
    assert "it answered 403; check HF_TOKEN and what it may read" in output and "Traceback" not in output
    fleet.faults()


def test_a_build_that_is_killed_goes_on_and_compiles_nothing_twice(fleet):
    site = fleet.begin()
    site.until(lambda: len(fleet.finished()) >= 2)
    fleet.head(f"sudo systemctl kill --signal=KILL {JOB}")
    done = fleet.finished()
    status, output = site.end()
    assert status != 0 and "The job vllm-wheel failed" in output and "killed by signal 9" in output
    assert "Traceback" not in output
    before = fleet.stamps()
    kept = {path: stamp for path, stamp in before.items() if path.endswith(tuple(done))}
    assert len(kept) == len(done) >= 2
    again = fleet.begin()
    again.until(lambda: len(fleet.finished()) > len(done))
    fleet.head(f"sudo systemctl stop {JOB}")
    again.end()
    after = fleet.stamps()
    assert {path: after[path] for path in kept} == kept
