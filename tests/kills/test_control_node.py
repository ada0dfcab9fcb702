# SPDX-License-Identifier: GPL-3.0-or-later
"""A control node that dies, with all of its processes and connections, at many points of one `site.yml`: each next run
goes on, and the end is that of a run which nothing disturbed.

The tests are one story and run in the order of this file. SEED chooses the moment after each point.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import urllib.request

import pytest
import yaml

from tests.e2e import reference
from tests.e2e.running import BIN, REPOSITORY, inventory, on, playbook, server, shown
from tests.e2e.test_lab import instances, put_on_the_share, recap

NODES = int(os.environ.get("NODES", "4"))
SEED = int(os.environ.get("SEED", "1"))
# What the output says, in this order, and how many seconds later it may be over.
POINTS = [
    ("[r1] launched r1-00", 3),
    ("TASK [gh200.inference.python311 : Install Python 3.11]", 5),
    ("TASK [gh200.inference.hf_models : Fetch and verify the models]", 1),
    ("TASK [gh200.inference.vllm_build : Install vLLM into the environment]", 8),
    ("TASK [gh200.inference.venv : Point the link at the finished environment]", 1),
    ("[r1] launched r1-02", 3),
    ("TASK [gh200.inference.python311 : Install Python 3.11]", 5),
    ("TASK [gh200.inference.hf_models : Install nginx without its service]", 2),
    ("TASK [gh200.inference.hf_models : Fetch and verify the models]", 2),
    ("TASK [gh200.inference.ray_cluster : Run Ray]", 4),
    ("TASK [gh200.inference.vllm_serve : Run vLLM]", 10),
    ("TASK [gh200.inference.vllm_serve : Compare the ranks", 3),
]
# A process namespace of its own: when its first process is killed, the kernel kills the others too.
ALONE = ["unshare", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]


def killed_at(point: str, later: float, extra: list[str]) -> bool:
    """Run site.yml until its output shows `point`, and `later` seconds more; False if it ended before."""
    command = [*ALONE, str(BIN / "ansible-playbook"), "-i", "inventory/lab", "site.yml", *extra]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    timer = threading.Timer(later, process.kill)
    seen = False
    for line in process.stdout:
        print(line, end="", flush=True)
        if point in line and not seen:
            seen = True
            timer.start()
    process.wait()
    timer.cancel()
    return seen


@pytest.fixture(name="runs", scope="module")
def deaths(tmp_path_factory):
    """For each point whether the run came to it; then the output of the run that was left alone."""
    assert shown("make", "--no-print-directory", "lab-down")[0] == 0
    put_on_the_share()
    assert shown(sys.executable, "-m", "lab", "up", "--nodes", str(NODES))[0] == 0
    # No wheels on the control node: the head comes first.
    extra = ["-e", f"gh200_wheel_cache={tmp_path_factory.mktemp('wheels')}"]
    chance = random.Random(SEED)
    came = {}
    for number, (point, most) in enumerate(POINTS):
        later = chance.uniform(0, most)
        print(f"\n== killed {later:.1f} s after `{point}` (SEED={SEED})", flush=True)
        came[number, point] = killed_at(point, later, extra)
    status, output = playbook("site.yml", *extra)
    yield {"came": came, "status": status, "output": output, "extra": extra}
    shown("make", "--no-print-directory", "lab-down")


def test_each_run_went_on_to_its_point(runs):
    assert [point for point, came in runs["came"].items() if not came] == []


def test_the_last_one_comes_to_the_end(runs):
    assert runs["status"] == 0
    assert "Traceback" not in runs["output"]


def test_no_node_was_launched_twice(runs):
    assert sorted(item["name"] for item in instances()) == [f"r1-{number:02d}" for number in range(NODES)]
    # Those that ended are counted too.
    settings = yaml.safe_load((REPOSITORY / "inventory/lab/lambda_cloud.yml").read_text(encoding="utf-8"))
    with urllib.request.urlopen(f"{settings['api_url'].removesuffix('/api/v1')}/admin/bill") as answer:
        bills = json.load(answer)["items"].values()
    assert sum(bill["kind"] == "instance" for bill in bills) == NODES


def test_nothing_was_fetched_twice_but_one_file_for_each_death(runs):
    values = yaml.safe_load((REPOSITORY / "inventory/lab/group_vars/all.yml").read_text(encoding="utf-8"))
    with urllib.request.urlopen(f"{values['gh200_hub_endpoint']}/lab/counts") as answer:
        counts = json.load(answer)
    sent = sum(sum(by.values()) for path, by in counts.items() if path.endswith(".safetensors"))
    shards = (REPOSITORY / ".lab/cache/hub/repos/gh200/DeepSeek-V3-tiny").glob("*.safetensors")
    sizes = [path.stat().st_size for path in shards]
    deaths_in_downloads = sum("Fetch and verify" in point for point, dummy in POINTS)
    assert sum(sizes) <= sent <= 1.05 * sum(sizes) + deaths_in_downloads * max(sizes)


def test_the_answers_are_those_of_transformers(runs):
    assert reference.check(server(), reference.load()) == []


def test_no_job_is_left_and_a_second_run_changes_nothing(runs):
    for variables in inventory()[1].values():
        listed = on(variables, "systemctl list-units --plain --no-legend --state=failed,activating 'gh200-*'")
        assert listed.split() == []
    status, output = playbook("site.yml", *runs["extra"])
    assert status == 0
    assert not {host: count for host, count in recap(output).items() if count["changed"] or count["failed"]}
