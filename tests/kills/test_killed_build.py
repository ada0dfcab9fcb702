# SPDX-License-Identifier: GPL-3.0-or-later
"""On the lab that the tests before have left: vLLM is built anew, the hub fails a worker meanwhile, and the
build is killed in its middle.

The tests are one story and run in the order of this file. The build is real, and is ended when it has gone on.
"""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.request

import pytest
import yaml

from tests.e2e.running import BIN, REPOSITORY, inventory, on, playbook

JOB = "gh200-job-vllm-wheel"
WORK = "/var/tmp/gh200-faults-build"
# What ninja has finished: its log has a line for each, begin, end, time, path, command.
FINISHED = (
    f"find {WORK} -name .ninja_log -exec cat {{}} + 2>/dev/null | grep -v '^#' | cut -f 4 | grep '[.]o$' | sort -u"
)
STAMPS = f"find {WORK} -name '*.o' -printf '%P %T@\\n' 2>/dev/null"
BEGIN_SECONDS = 600


class Build:
    """Another environment than the one that serves, on the head of the lab."""

    def __init__(self):
        self.head, self.nodes = inventory()
        self.venvs = on(self.nodes[self.head], "dirname $(readlink -f /lambda/nfs/*/gh200/venvs/current)").strip()
        self.folder = re.search(r"vllm serve (\S+)", on(self.nodes[self.head], "systemctl cat vllm"))[1]
        values = yaml.safe_load((REPOSITORY / "inventory/lab/group_vars/all.yml").read_text(encoding="utf-8"))
        self.hub = values["gh200_hub_endpoint"]
        # Another environment of the compiler is another wheel, and compiles the same.
        others = {
            "vllm_build_environment": values["vllm_build_environment"] | {"GH200_FAULTS": "1"},
            "vllm_build_workdir": WORK,
            "gh200_venv": f"{self.venvs}/faults",
            "gh200_download_source": "hub",
        }
        self.arguments = ["-e", json.dumps(others)]

    def begin(self, *names):
        """Playbooks that run, with their output in a pipe."""
        command = [BIN / "ansible-playbook", "-i", "inventory/lab", *(f"playbooks/{name}.yml" for name in names)]
        return subprocess.Popen(
            [*command, *self.arguments],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def is_active(self):
        state = on(self.nodes[self.head], f"systemctl show --property ActiveState --value {JOB}")
        return state.strip() in ("active", "activating")

    def finished(self):
        """Paths of the objects that are compiled."""
        return on(self.nodes[self.head], f"{FINISHED} || true").split()

    def stamps(self):
        """Path to the time of each object."""
        return dict(line.split() for line in on(self.nodes[self.head], STAMPS).splitlines())

    def fail(self, *faults):
        """Faults of the hub, in the place of former ones."""
        request = urllib.request.Request(f"{self.hub}/lab/faults", json.dumps(faults).encode(), method="PUT")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status < 300


def until(true, process):
    """Wait, while the playbooks run."""
    deadline = time.monotonic() + BEGIN_SECONDS
    while not true():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(2)


@pytest.fixture(name="build", scope="module")
def another_build():
    """Nothing of it is left."""
    build = Build()
    yield build
    build.fail()
    head = build.nodes[build.head]
    on(head, f"sudo systemctl stop {JOB}; sudo systemctl reset-failed {JOB}; sudo rm -rf {WORK} {build.venvs}/faults")
    assert playbook("playbooks/models.yml")[0] == 0


def test_a_hub_that_fails_a_worker_ends_the_waiting_for_the_build(build):
    worker = next(name for name in build.nodes if name != build.head)
    shard = on(build.nodes[worker], f"ls {build.folder}/*.safetensors").split()[0]
    on(build.nodes[worker], f"sudo rm {shard}")
    # Slow until the build has begun, and then broken off.
    name = re.escape(shard.rpartition("/")[2])
    build.fail({"match": name, "rate": 10000, "drop_after": 600000})
    process = build.begin("prepare", "build")
    until(build.is_active, process)
    # What may be waited for would be: an answer that will not change ends the job.
    build.fail({"match": name, "status": 403})
    output, dummy = process.communicate(timeout=BEGIN_SECONDS)
    print(output)
    assert process.returncode != 0 and build.is_active()
    assert f"{build.head} does not wait for Build the wheel of vLLM any more, since {worker} has failed" in output
    assert "The job hf-models failed" in output and "Traceback" not in output
    build.fail()


def test_a_build_that_is_killed_goes_on_and_compiles_nothing_twice(build):
    process = build.begin("build")
    until(lambda: len(build.finished()) >= 2, process)
    head = build.nodes[build.head]
    on(head, f"sudo systemctl kill --signal=KILL {JOB}")
    done = build.finished()
    output, dummy = process.communicate(timeout=BEGIN_SECONDS)
    print(output)
    assert process.returncode != 0 and "The job vllm-wheel failed" in output and "killed by signal 9" in output
    assert "Traceback" not in output
    before = build.stamps()
    kept = {path: stamp for path, stamp in before.items() if path.endswith(tuple(done))}
    assert len(kept) == len(done) >= 2
    again = build.begin("build")
    until(lambda: len(build.finished()) > len(done), again)
    on(head, f"sudo systemctl stop {JOB}")
    print(again.communicate(timeout=BEGIN_SECONDS)[0])
    after = build.stamps()
    assert {path: after[path] for path in kept} == kept
