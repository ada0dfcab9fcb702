# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong value of any role's variable is told in one task, on hosts and before there are any."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.gh200.inference.plugins.plugin_utils import role_variables

from tests.unit.playbooks.stand_in import REPOSITORY

VALIDATE = "gh200.inference.validate_roles"


@pytest.fixture(name="said")
def output_of_a_play(tmp_path):
    """said(hosts, options, others, mine, **variables): status and output of a play that has nothing but the task.

    `others` are hosts beside node-a, with their variables; `mine` are node-a's.
    """

    def said(hosts, options, others=None, mine=None, **variables):
        first = {"gh200_address": "192.0.2.1", **(mine or {})}
        inventory = {"head": {"hosts": {"node-a": first}}, "workers": {"hosts": others or {}}}
        (tmp_path / "hosts.json").write_text(json.dumps(inventory), encoding="utf-8")
        shared = REPOSITORY / "playbooks/tasks/variables.yml"
        tasks = [{"ansible.builtin.import_tasks": str(shared)}, {VALIDATE: options}]
        (tmp_path / "play.yml").write_text(
            json.dumps([{"hosts": hosts, "gather_facts": False, "tasks": tasks}]), encoding="utf-8"
        )
        program = Path(sys.executable).parent / "ansible-playbook"
        command = [program, "-i", tmp_path / "hosts.json", tmp_path / "play.yml", "-e", json.dumps(variables)]
        environment = os.environ | {
            "ANSIBLE_NOCOLOR": "1",
            "GH200_STATE_DIR": str(tmp_path / "state"),
            "COLUMNS": "9999",
        }
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    return said


def test_what_the_roles_come_with_fits_on_a_host_that_nobody_reaches(said):
    status, output = said("node-a", {})
    assert status == 0, output


def test_a_wrong_value_is_told_with_its_role_and_not_what_follows_from_it(said):
    status, output = said("node-a", {}, vllm_serve_max_num_seqs="many", hf_models_files_at_once="")
    assert status == 2
    assert "1 variable does not fit the specification: vllm_serve: argument 'vllm_serve_max_num_seqs'" in output
    assert "serving_plan" not in output and "Traceback" not in output


def test_before_there_are_nodes_only_what_was_given_is_looked_at(said):
    assert said("localhost", {"given_only": True})[0] == 0
    status, output = said("localhost", {"given_only": True}, ray_cluster_gpus="one", gh200_size="x")
    assert status == 2
    assert "2 variables do not fit" in output and "ray_cluster: argument 'ray_cluster_gpus'" in output


def test_what_is_not_known_before_there_are_nodes_is_no_fault(said):
    # The plan follows from a model whose sizes nobody has asked for yet.
    model = {"tiny": {"repository": "own/tiny", "revision": "main", "served_name": "tiny"}}
    assert said("localhost", {"given_only": True}, gh200_model="tiny", gh200_models=model)[0] == 0
    status, output = said("localhost", {"given_only": True}, gh200_model="tiny", gh200_models=model, gh200_size="x")
    assert status == 2 and "gh200: argument 'gh200_size'" in output


OTHERS = ["node-a", "node-b", "node-c"]


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"vllm_serve_port": "many"}, "vllm_serve: argument 'vllm_serve_port'"),
        # What follows from a variable that no role knows.
        ({"own_gpus": "some"}, "ray_cluster: argument 'ray_cluster_gpus'"),
        ({"gh200_launch_deadline": "some"}, "gh200: argument 'gh200_launch_deadline'"),
    ],
)
def test_what_does_not_fit_on_another_host_is_told_with_its_name(said, variables, sentence):
    address = {"gh200_address": "192.0.2.2"}
    others = {"node-b": address, "node-c": address | variables}
    given = {"ray_cluster_gpus": "{{ own_gpus | default(1) }}"}
    status, output = said("node-a", {"hosts": OTHERS}, others, **given)
    assert status == 2, output
    assert sentence in output and "(on node-c)" in output and "node-b" not in output


def test_other_hosts_that_fit_are_no_fault(said):
    others = {
        "node-b": {"gh200_address": "192.0.2.2", "vllm_serve_port": 1234},
        "node-c": {"gh200_address": "192.0.2.3"},
    }
    status, output = said("node-a", {"hosts": OTHERS}, others, vllm_serve_port=8123)
    assert status == 0, output


def test_what_follows_from_a_name_is_found_over_any_number_of_steps():
    templates = {"a": "{{ b }}", "b": ["{{ c + 1 }}"], "c": 1, "d": "{{ e }}", "e": {"key": "c"}, "f": "abc"}
    assert role_variables.touched(templates, {"c"}) == {"a", "b", "c", "d", "e"}
    assert role_variables.touched(templates, set()) == set()
    assert role_variables.differing({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": 4}) == {"b", "c"}


@pytest.mark.parametrize(
    "hosts,options", [("localhost", {"given_only": True}), ("localhost", {"names_only": True}), ("node-a", {})]
)
def test_a_slip_of_the_pen_in_what_is_given_for_this_run_is_refused(said, hosts, options):
    status, output = said(hosts, options, gh200_siz=3, vllm_serve_prot=1, gh200_mine=1, other=1)
    assert status == 2
    assert "gh200_siz is given with -e, and no role knows it: is gh200_size meant?" in output
    assert "vllm_serve_prot is given with -e, and no role knows it: is vllm_serve_port meant?" in output
    assert "gh200_mine" not in output and "other is" not in output and "Traceback" not in output


def test_one_in_the_inventory_is_warned_of(said):
    status, output = said("node-a", {"given_only": True}, mine={"gh200_siz": 3, "vllm_serve_prot": 1, "other": 1})
    assert status == 0, output
    assert "gh200_siz is set, and no role knows it: is gh200_size meant?" in output
    assert "vllm_serve_prot is set, and no role knows it: is vllm_serve_port meant?" in output
    assert output.count("no role knows it") == 2


@pytest.mark.parametrize("hosts", ["localhost", "node-a"])
def test_by_names_alone_a_wrong_value_is_no_fault(said, hosts):
    status, output = said(hosts, {"names_only": True}, vllm_serve_max_num_seqs="many")
    assert status == 0, output


def test_a_secret_that_does_not_fit_is_not_shown(said):
    status, output = said("localhost", {"given_only": True}, hf_models_token={"planted": "planted"})
    assert "planted" not in output, status


def test_a_role_that_is_not_there_is_a_sentence(said):
    status, output = said("localhost", {"roles": ["no_such"]})
    assert status == 2 and "This collection has no role no_such; it has " in output


def entries(name):
    """What a playbook does, in order; what it imports first stands for its place."""
    path = REPOSITORY / "playbooks" / name
    return [(name, entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8"))]


RUNNING = [
    (path.name, number, entry)
    for path in sorted((REPOSITORY / "playbooks").glob("*.yml"))
    for number, (dummy, entry) in enumerate(entries(path.name))
    if entry.get("become")
]


@pytest.mark.parametrize(
    ("playbook", "number", "play"), RUNNING, ids=[f"{name}: {play['name']}" for name, dummy, play in RUNNING]
)
def test_a_play_on_nodes_has_its_variables_checked_before_its_roles(playbook, number, play):
    assert "roles" not in play  # these would check for themselves, a task each
    roles = [index for index, task in enumerate(play["tasks"]) if "gh200.inference." in json.dumps(task)]
    if not roles:
        return
    tasks = [task.get("ansible.builtin.include_tasks") for task in play["tasks"]]
    imported = [entry.get("ansible.builtin.import_playbook") for dummy, entry in entries(playbook)[:number]]
    within = "tasks/validate.yml" in tasks and tasks.index("tasks/validate.yml") < roles[0]
    # check.yml begins with it.
    assert within or {"parts/validate.yml", "check.yml"} & {*imported}
    assert all("rolespec_validate" in json.dumps(play["tasks"][index]) for index in roles), playbook


def test_check_begins_with_it():
    assert entries("check.yml")[0][1]["ansible.builtin.import_playbook"] == "parts/validate.yml"


def test_each_node_is_asked_for_once_in_a_run(tmp_path):
    inventory = {"head": {"hosts": {"node-a": {}}}, "workers": {"hosts": {"node-b": {}, "node-c": {}}}}
    for number, host in enumerate(inventory["head"]["hosts"] | inventory["workers"]["hosts"]):
        inventory["head" if number == 0 else "workers"]["hosts"][host] = {"gh200_address": f"192.0.2.{number + 1}"}
    (tmp_path / "hosts.json").write_text(json.dumps(inventory), encoding="utf-8")
    part = {"ansible.builtin.import_playbook": str(REPOSITORY / "playbooks/parts/validate.yml")}
    plays = [part | {"vars": {"gh200_part": "head"}}, part, part]
    (tmp_path / "all.yml").write_text(json.dumps(plays), encoding="utf-8")
    program = Path(sys.executable).parent / "ansible-playbook"
    done = subprocess.run(
        [program, "-i", tmp_path / "hosts.json", tmp_path / "all.yml"],
        cwd=REPOSITORY,
        env=os.environ | {"ANSIBLE_NOCOLOR": "1", "GH200_STATE_DIR": str(tmp_path / "state"), "COLUMNS": "9999"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    first, second, third = done.stdout.split("PLAY RECAP")[0].split("PLAY [Check the variables]")[1:]
    assert [sorted(re.findall(r"^ok: \[(\S+)\]", part, re.MULTILINE)) for part in (first, second, third)] == [
        ["node-a"],
        # For node-c too.
        ["node-b"],
        [],
    ]
    assert "no hosts matched" in third and "WARNING" not in done.stderr
