# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation of each lambda_* module promises: its examples run, and its results are as described."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from .account import ask, fleet_tags, launch

REPOSITORY = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (REPOSITORY / "plugins/modules").glob("lambda_*.py"))
PREFIX = "gh200.inference."
# Beside what a module documents, its results may have what all of Ansible's have.
COMMON = {"changed", "diff", "warnings"}
TYPES = {"str": str, "int": int, "float": (float, int), "bool": bool, "dict": dict, "list": list}
# Where nothing takes time, and nothing listens.
HASTE = {"poll_interval": 0.01, "settle_time": 0.2, "wait_for_ssh": False, "deadline": 20, "timeout": 20}
RULE = {"protocol": "tcp", "port_range": [443, 443], "source_network": "203.0.113.0/24", "description": "web"}
# What else must have happened before a module's examples; the results do not count.
BEFORE = {
    "lambda_receipt": [
        {
            "lambda_fleet": {
                "name": "r1",
                "size": 1,
                "region": "us-east-3",
                "ssh_key_name": "laptop",
                "filesystems": ["shared"],
            }
        }
    ]
}
# Two ways to call a module whose results differ, beside its examples.
AFTER = {
    "lambda_instance": [{"lambda_instance": {"id": "{{ other }}"}}],
    "lambda_firewall_ruleset": [{"lambda_firewall_ruleset": {"name": "web", "region": "us-east-3", "rules": [RULE]}}],
}


def module(name, kind="modules"):
    return importlib.import_module(f"ansible_collections.gh200.inference.plugins.{kind}.{name}")


@pytest.fixture(name="account")
def prepared_account(cloud):
    """An account of somebody who uses it; variables that examples may use."""
    home = Path(os.environ["HOME"]) / ".ssh"
    home.mkdir(parents=True)
    (home / "id_ed25519.pub").write_text(
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICN+lJwsONkwrdsSnQsu1ydUkIuIg5oOC+Eslvmtt60T ada\n", encoding="utf-8"
    )
    ruleset = ask(cloud, "POST", "/firewall-rulesets", {"name": "web", "region": "us-east-3", "rules": [RULE]})["id"]
    launch(cloud, "notebook")
    other = launch(cloud, "web", firewall_rulesets=[{"id": ruleset}], file_system_names=["shared"])
    past = [{"key": "gh200:launched", "value": "1700000000"}, {"key": "gh200:expires", "value": "1700003600"}]
    launch(cloud, "old-00", tags=fleet_tags("old", "old-00") + past)
    launch(cloud, "old-01", tags=fleet_tags("old", "old-01"))
    return {"other": other}


@pytest.fixture(name="play")
def play_tasks(act, cloud, account, tmp_path):
    """play(tasks): runs what a playbook would, as far as examples need it; the results by module."""
    loader = DataLoader()

    def one(task, variables):
        """Results of one task, and of each item of its loop."""
        (action,) = [key for key in task if "." in key]
        templar = Templar(loader, variables)
        if "loop" in task:
            alone = {key: value for key, value in task.items() if key != "loop"}
            return [
                result for item in templar.template(task["loop"]) for result in one(alone, variables | {"item": item})
            ]
        arguments = templar.template(task[action] or {})
        if action == "ansible.builtin.debug":
            return []
        name = action.removeprefix(PREFIX)
        haste = {key: value for key, value in HASTE.items() if key in module(name, "action").ActionModule.SPEC}
        result = act(name, check=task.get("check_mode", False), diff=True, **(cloud.options | haste | arguments))
        assert not result.get("failed"), f"{task.get('name')}: {result['msg']}"
        return [(name, result)]

    def play(tasks):
        # As text, since only what comes from a file may have templates in it.
        path = tmp_path / "tasks.yml"
        path.write_text(tasks if isinstance(tasks, str) else json.dumps(tasks), encoding="utf-8")
        variables, results = dict(account), []
        for task in loader.load_from_file(str(path), cache="none", trusted_as_template=True):
            done = one(task, variables)
            results += done
            if "register" in task:
                variables[task["register"]] = done[-1][1]
        return results

    return play


def calls(tasks):
    return [{PREFIX + name: arguments for name, arguments in task.items()} for task in tasks]


def described(documented, values, where):
    """Every value has documented keys of the documented types, and every documented key has a value somewhere, or at
    least the null of which it tells.
    """
    seen = {key: [value[key] for value in values if value.get(key) is not None] for key in documented}
    for value in values:
        assert set(value) <= set(documented), f"{where} has undocumented keys: {set(value) - set(documented)}"
        untold = [key for key in value if value[key] is None and "null" not in str(documented[key]["description"])]
        assert not untold, f"{where} does not say that these may be null: {untold}"
    for key, about in documented.items():
        place = f"{where}.{key}"
        assert any(key in value for value in values), f"{place} is documented and never returned"
        assert all(
            isinstance(value, TYPES[about["type"]]) and (about["type"] == "bool" or not isinstance(value, bool))
            for value in seen[key]
        ), place
        items = (
            [item for value in seen[key] for item in value]
            if about["type"] == "list"
            else [value for value in seen[key] if value]
        )
        if "elements" in about:
            assert all(isinstance(item, TYPES[about["elements"]]) for item in items), place
        if "contains" in about:
            assert items, f"{place} is empty each time, so that nothing is known of its keys"
            described(about["contains"], items, place)


@pytest.mark.parametrize("name", MODULES)
def test_examples_run_and_return_what_is_documented(play, name):
    returned = yaml.safe_load(module(name).RETURN)
    failure = returned.pop("failure")
    assert failure["type"] == "dict" and "failure" in failure["returned"]
    play(calls(BEFORE.get(name, [])))
    examples = play(module(name).EXAMPLES)
    assert any(action == name for action, result in examples), f"{name} is in none of its examples"
    results = [result for action, result in examples + play(calls(AFTER.get(name, []))) if action == name]
    assert all(isinstance(result["changed"], bool) for result in results)
    described(
        returned, [{key: value for key, value in result.items() if key not in COMMON} for result in results], name
    )


@pytest.mark.parametrize("name", MODULES)
def test_a_failed_call_returns_what_is_documented(act, cloud, name):
    tasks = yaml.safe_load(module(name).EXAMPLES)
    arguments = next(task[PREFIX + name] or {} for task in tasks if PREFIX + name in task)
    result = act(name, **(cloud.options | arguments | {"api_key": "secret_planted"}))
    assert result["failed"] and set(result) == {"failed", "msg", "failure"} and "secret_planted" not in str(result)
    assert set(result["failure"]) == {"kind", "code", "status"} and result["failure"]["kind"] == "key"


def run(*command, cwd):
    """A tool of this environment, with no settings of this machine."""
    (cwd / "ansible.cfg").write_text("[defaults]\n", encoding="utf-8")
    tools = Path(sys.executable).parent
    environment = {
        **os.environ,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CONFIG": str(cwd / "ansible.cfg"),
        "PATH": f"{tools}:{os.environ['PATH']}",
    }
    return subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def test_ansible_doc_shows_each_of_them(tmp_path):
    done = run("ansible-doc", "--type", "module", *(PREFIX + name for name in MODULES), cwd=tmp_path)
    assert done.returncode == 0 and not done.stderr, done.stderr
    for name in MODULES:
        page = done.stdout.partition(f"> MODULE {PREFIX}{name} ")[2].partition("> MODULE ")[0]
        assert all(
            part in page
            for part in ("OPTIONS", "api_key_file", "ATTRIBUTES", "idempotent", "EXAMPLES", "RETURN VALUES")
        ), name


def test_module_defaults_reach_each_of_them_and_the_key_is_not_shown(cloud, tmp_path):
    """For a host that nobody can reach: all of it runs on the control node.

    The private half of a key that is made is not shown either.
    """
    names = [name for name in MODULES if name.endswith("_info")]
    changes = {
        "lambda_filesystem": {"name": "models", "region": "us-east-3"},
        "lambda_firewall_rule": {"rules": [RULE]},
        "lambda_firewall_ruleset": {"name": "api", "region": "us-east-3", "rules": [RULE]},
        "lambda_ssh_key": {"name": "fleets", "private_key_file": "fleets"},
    }
    playbook = [
        {
            "hosts": "far",
            "gather_facts": False,
            "module_defaults": {"group/gh200.inference.lambda": cloud.options},
            "tasks": calls(
                [{name: None} for name in names] + [{name: arguments} for name, arguments in changes.items()]
            ),
        }
    ]
    (tmp_path / "playbook.yml").write_text(json.dumps(playbook), encoding="utf-8")
    done = run("ansible-playbook", "-vvv", "--diff", "-i", "far,", "playbook.yml", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        f"ok={len(names) + len(changes)} " in done.stdout
        and f"changed={len(changes)} " in done.stdout
        and '"name": "models"' in done.stdout
    )
    private = (tmp_path / "fleets").read_text(encoding="utf-8").splitlines()[1:-1]
    assert private and not [secret for secret in (cloud.key, *private) if secret in done.stdout + done.stderr]
    assert {"POST /filesystems", "POST /firewall-rulesets", "PATCH /firewall-rulesets/global", "POST /ssh-keys"} <= set(
        cloud.calls()
    )
