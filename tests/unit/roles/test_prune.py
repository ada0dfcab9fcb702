# SPDX-License-Identifier: GPL-3.0-or-later
"""What is old goes, and nothing that is used, named by the variables, or may be used by a node that was not asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).resolve().parents[3] / "roles"
NODES = ("r1-00", "r1-01")


def loaded(role):
    """Defaults and variables of a role."""
    files = [path for part in ("defaults", "vars") for path in sorted((ROLES / role / part).rglob("*.yml"))]
    return {
        name: value
        for file in files
        for name, value in DataLoader().load_from_file(str(file), trusted_as_template=True).items()
    }


def found(folder, *names, used=(), unfinished=()):
    """What environments_info tells, the newest first."""
    return [
        {
            "path": f"{folder}/{name}",
            "finished": name not in unfinished,
            "users": ["ray (pid 7)"] if name in used else [],
        }
        for name in names
    ]


def environments(keep, *names, seen, fleet=NODES, hosts=NODES, **more):
    """Names of the environments that go; `seen` are the names that each host uses, None where it was not asked."""
    hostvars = {
        host: {"inventory_hostname": host}
        | ({} if used is None else {"__venv_seen": {"environments": found("/s/venvs", *names, used=used, **more)}})
        for host, used in seen.items()
    }
    variables = loaded("venv") | {
        "hostvars": hostvars,
        "inventory_hostname": NODES[0],
        "ansible_play_hosts": list(hosts),
        "ansible_play_hosts_all": list(hosts),
        "gh200_nodes": dict.fromkeys(fleet),
        "gh200_head": NODES[0],
        "venv_path": "/s/venvs/now",
        "venv_keep": keep,
    }
    return [path.rpartition("/")[2] for path in templated(variables, "__venv_going")]


def templated(variables, name):
    return Templar(DataLoader(), variables).template(trust_as_template(f"{{{{ {name} }}}}"))


NOBODY = {"r1-00": (), "r1-01": ()}


@pytest.mark.parametrize(("keep", "going"), [(-1, []), (0, ["b", "c"]), (1, ["c"]), ("1", ["c"]), (5, [])])
def test_the_newest_environments_stay_and_so_does_the_one_that_is_named(keep, going):
    assert environments(keep, "b", "now", "c", seen=NOBODY) == going


def test_an_environment_that_any_host_uses_stays():
    assert environments(0, "now", "b", "c", seen={"r1-00": (), "r1-01": ("c",)}) == ["b"]


def test_an_environment_that_is_not_finished_stays():
    assert environments(0, "now", "b", "c", seen=NOBODY, unfinished=("b",)) == ["c"]


def test_an_environment_to_which_one_goes_back_stays_where_it_is_the_oldest():
    assert environments(0, "newer", "newest", "now", seen=NOBODY) == ["newer", "newest"]


@pytest.mark.parametrize(
    "some",
    [
        {"hosts": NODES[:1], "seen": {"r1-00": ()}},
        {"seen": {"r1-00": (), "r1-01": None}},
        {"seen": NOBODY, "fleet": [*NODES, "r1-02"]},
    ],
)
def test_no_environment_goes_while_a_node_was_not_asked(some):
    assert environments(0, "now", "b", **some) == []


def wheels(keep, *names, **more):
    """Names of the folders of wheels that go; "own" stands for what the variables name."""
    variables = loaded("vllm_build") | {
        "ansible_facts": {"architecture": "aarch64"},
        "inventory_hostname": NODES[0],
        "vllm_build_wheelhouse": "/s/wheelhouse",
        "vllm_build_keep": keep,
    }
    own = templated(variables, "__vllm_build_wheel_id")
    names = [own if name == "own" else name for name in names]
    variables["__vllm_build_wheels"] = {"environments": found("/s/wheelhouse", *names, **more)}
    return [path.rpartition("/")[2] for path in templated(variables, "__vllm_build_going")]


@pytest.mark.parametrize(("keep", "going"), [(-1, []), (0, ["a", "b"]), (1, ["b"]), ("1", ["b"]), (9, [])])
def test_the_newest_wheels_stay_and_so_do_those_that_are_named(keep, going):
    assert wheels(keep, "a", "b", "own") == going


def test_wheels_that_are_used_or_not_finished_stay():
    assert wheels(0, "a", "b", "c", used=("a",), unfinished=("b",)) == ["c"]
