# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet that serves is as it was found after playbooks/absent.yml, and serves again after site.yml.

The tests are one story and run in the order of this file.
"""

from __future__ import annotations

import re
import sys

import pytest

from tests.e2e.running import inventory, on, playbook, server, shown

LEAVE = ["-e", "gh200_absent=true"]
STEPS = "extensions/molecule/steps"
QUESTION = {"prompt": "The capital of France is", "max_tokens": 4, "temperature": 0}


def counts(output):
    """Host to its (changed, failed) of the last run."""
    rows = re.findall(r"^(\S+)\s+: ok=\d+\s+changed=(\d+)\s+unreachable=\d+\s+failed=(\d+)", output, re.MULTILINE)
    return {host: (int(changed), int(failed)) for host, changed, failed in rows}


def answer():
    """What the endpoint knows."""
    return server().get("/completions", QUESTION)["choices"][0]["text"]


@pytest.fixture(name="fleet", scope="module")
def two_nodes_that_serve():
    """Names of nodes that remember what they had before."""
    assert shown(sys.executable, "-m", "lab", "up", "--nodes", "2")[0] == 0
    assert playbook("playbooks/provision.yml")[0] == 0
    assert playbook(f"{STEPS}/remember.yml")[0] == 0
    assert playbook("site.yml")[0] == 0
    yield sorted(inventory()[1])
    assert playbook("playbooks/teardown.yml")[0] == 0
    assert shown("make", "--no-print-directory", "lab-down")[0] == 0


def test_without_leave_nothing_is_taken(fleet):
    status, output = playbook("playbooks/absent.yml")
    assert status != 0
    assert "run it with --check to see what would go, and with -e gh200_absent=true to do it" in " ".join(
        output.split()
    )
    assert {changed for changed, dummy in counts(output).values()} == {0}
    assert "Traceback" not in output and "Paris" in answer()


def test_check_mode_foretells_it_on_every_node_and_takes_nothing(fleet):
    status, output = playbook("playbooks/absent.yml", "--check")
    assert status == 0
    assert all(counts(output)[name][0] > 0 for name in fleet)
    assert "Paris" in answer()


def test_then_every_node_is_as_it_was_found(fleet):
    assert playbook("playbooks/absent.yml", *LEAVE)[0] == 0
    # Files (the share's too), modes, owners, settings, packages, units.
    assert playbook(f"{STEPS}/compare.yml")[0] == 0
    for variables in inventory()[1].values():
        assert on(variables, "pgrep --list-full --full '[r]ay::|[v]llm serve|[h]f_fetch' || true") == ""


def test_a_second_time_there_is_nothing_to_take(fleet):
    status, output = playbook("playbooks/absent.yml", *LEAVE)
    assert status == 0
    assert set(counts(output).values()) == {(0, 0)}


def test_it_serves_again(fleet):
    assert playbook("site.yml")[0] == 0
    assert "Paris" in answer()
