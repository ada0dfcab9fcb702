# SPDX-License-Identifier: GPL-3.0-or-later
"""A node with a bad GPU is named minutes after its boot, before anything is fetched, and replaced by its id when that
is asked for.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.e2e.running import BIN, REPOSITORY, on, shown

FLEET = "bad"
BAD, GOOD = f"{FLEET}-01", f"{FLEET}-00"
FAULTS = "/etc/nvidia-smi-faults.json"
RECORD = "/var/lib/gh200/gpu-check.json"


def playbook(*arguments):
    return shown(str(BIN / "ansible-playbook"), "-i", f"inventory/lab-{FLEET}", *arguments)


def nodes():
    """Name to variables of the fleet's nodes."""
    command = [BIN / "ansible-inventory", "-i", f"inventory/lab-{FLEET}", "--list"]
    return json.loads(subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout)[
        "_meta"
    ]["hostvars"]


@pytest.fixture(name="fleet", scope="module")
def two_nodes():
    """Two nodes that have nothing yet."""
    assert shown(sys.executable, "-m", "lab", "up", "--nodes", "2", "--fleet", FLEET)[0] == 0
    assert playbook("playbooks/provision.yml")[0] == 0
    yield
    assert playbook("playbooks/teardown.yml")[0] == 0


def plant(fault):
    """What nvidia-smi of the second node says from now on; a check that passed before is forgotten."""
    on(nodes()[BAD], f"sudo rm -f {RECORD}; sudo tee {FAULTS}", json.dumps(fault))


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ({"ecc.errors.uncorrected.volatile.total": "3"}, "3 uncorrected ECC errors"),
        ({"fabric.state": "Not Started"}, "802"),
        ({"memory.free": "48000"}, "48000 of 97871 MiB free"),
        ({"error": "No devices were found"}, "No devices were found"),
    ],
)
def test_a_bad_gpu_is_named_with_its_node(fleet, fault, sentence):
    plant(fault)
    status, output = playbook("playbooks/check.yml")
    assert status != 0
    assert f"1 of 2 nodes are bad: {BAD}: " in output and sentence in output and "Traceback" not in output


def test_it_is_replaced_by_its_id_and_the_good_one_stays(fleet):
    plant({"ecc.errors.uncorrected.volatile.total": "3"})
    before = {name: variables["lambda_id"] for name, variables in nodes().items()}
    assert playbook("playbooks/check.yml", "-e", "gh200_replace_bad=true")[0] == 0
    after = {name: variables["lambda_id"] for name, variables in nodes().items()}
    assert after[GOOD] == before[GOOD] and after[BAD] != before[BAD] and len(after) == 2
    status, output = playbook("playbooks/check.yml")
    assert status == 0 and "changed=1" not in output
