# SPDX-License-Identifier: GPL-3.0-or-later
"""check.yml as people run it, on a simulated account, with a check that finds bad what the test says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from .world import LAUNCH, TERMINATE

REPOSITORY = Path(__file__).resolve().parents[2]
# What the real role promises: without gpu_check_fail, __gpu_check has rc and stderr_lines.
CHECK = [
    {
        "name": "Look the node up among the bad ones",
        "ansible.builtin.command": {
            "argv": [
                "sh",
                "-c",
                'if grep -qxF -e "$1" -e "$2" "$3"; then echo "2 ECC errors that cannot be corrected" >&2; exit 1; fi',
                "check",
                "{{ inventory_hostname }}",
                "{{ lambda_id | default('none') }}",
                "{{ bad_file }}",
            ]
        },
        "register": "__gpu_check",
        "changed_when": False,
        "failed_when": False,
        "check_mode": False,
    },
    {
        "name": "Refuse it",
        "ansible.builtin.fail": {"msg": "{{ inventory_hostname }} is refused: {{ __gpu_check.stderr }}"},
        "when": "gpu_check_fail and __gpu_check.rc != 0",
    },
]


@pytest.fixture(name="collection")
def collection_with_another_check(tmp_path):
    """This collection, but for its role gpu_check; its folder."""
    folder = tmp_path / "collections/ansible_collections/gh200/inference"
    (folder / "roles/gpu_check/tasks").mkdir(parents=True)
    (folder / "roles/gpu_check/tasks/main.yml").write_text(json.dumps(CHECK), encoding="utf-8")
    (folder / "roles/gpu_check/defaults").symlink_to(REPOSITORY / "roles/gpu_check/defaults")
    for role in ("gh200", "vllm_build"):
        (folder / "roles" / role).symlink_to(REPOSITORY / "roles" / role)
    for name in ("plugins", "meta", "playbooks", "galaxy.yml"):
        (folder / name).symlink_to(REPOSITORY / name)
    return folder


@pytest.fixture(name="site")
def account_with_a_fleet(act, cloud, collection, tmp_path):
    """site.check(*arguments, **variables) runs check.yml on a fleet of three; site.bad is written before, site.ids are
    its nodes.
    """
    options = {"wait_for_ssh": False, "settle_time": 0.2}
    state = tmp_path / "state"
    launched = act(
        "lambda_fleet",
        name="r1",
        size=3,
        region="us-east-3",
        ssh_key_name="laptop",
        filesystems=["shared"],
        state_dir=str(state),
        poll_interval=0.01,
        **(cloud.options | options),
    )
    rented = tmp_path / "lambda_cloud.yml"
    rented.write_text(
        json.dumps(
            {
                "plugin": "gh200.inference.lambda_cloud",
                "fleet": "r1",
                "compose": {"gh200_address": "lambda_private_ip"},
                **cloud.options,
            }
        ),
        encoding="utf-8",
    )
    variables = {
        "gh200_state_dir": str(state),
        "gh200_size": 3,
        "gh200_ssh_key_name": "laptop",
        "gh200_poll_interval": 0.01,
        "gh200_lambda": cloud.options | options,
        "ansible_connection": "local",
        "ansible_become": False,
        "ansible_python_interpreter": sys.executable,
        "bad_file": str(tmp_path / "bad"),
    }

    def check(*arguments, bad=(), inventory=rented, **more):
        (tmp_path / "bad").write_text("".join(f"{name}\n" for name in bad), encoding="utf-8")
        cloud.calls()
        done = subprocess.run(
            [
                Path(sys.executable).parent / "ansible-playbook",
                "-i",
                inventory,
                collection / "playbooks/check.yml",
                "-e",
                json.dumps(variables | more),
                *arguments,
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=120,
            stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
                "GH200_STATE_DIR": str(state),
                "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"),
            },
        )
        output = done.stdout + done.stderr
        assert "Traceback" not in output and "WARNING" not in output, output
        return SimpleNamespace(
            status=done.returncode, output=output, asked=[call for call in cloud.calls() if not call.startswith("GET ")]
        )

    return SimpleNamespace(
        check=check, ids={node["name"]: node["id"] for node in launched["fleet"]["nodes"]}, cloud=cloud, folder=tmp_path
    )


def alive(site):
    return {
        tag["value"]: item["id"]
        for item in site.cloud.cloud.instances()
        if item["status"] not in ("terminating", "terminated")
        for tag in item["tags"]
        if tag["key"] == "gh200:node"
    }


@pytest.mark.parametrize("leave", [False, True])
def test_nothing_bad_is_nothing_done(site, leave):
    done = site.check(gh200_replace_bad=leave)
    assert done.status == 0 and done.asked == [] and "changed=0" in done.output and "changed=1" not in done.output, (
        done.output
    )
    assert "msg" not in done.output


def test_without_leave_all_bad_nodes_are_named_at_once_and_kept(site):
    done = site.check(bad=["r1-00", "r1-02"])
    assert done.status != 0 and done.asked == []
    assert "2 of 3 nodes are bad: r1-00: 2 ECC errors that cannot be corrected. r1-02: 2 ECC" in done.output, (
        done.output
    )
    assert "-e gh200_replace_bad=true" in done.output and "Check what came in their place" not in done.output


def test_with_leave_they_are_replaced_by_their_ids_and_checked(site):
    done = site.check(bad=[site.ids["r1-02"]], gh200_replace_bad=True)
    assert done.status == 0 and done.asked == [TERMINATE, LAUNCH], done.output
    assert site.cloud.bodies(TERMINATE) == [{"instance_ids": [site.ids["r1-02"]]}]
    now = alive(site)
    assert now["r1-02"] != site.ids["r1-02"] and {node: now[node] for node in ("r1-00", "r1-01")} == {
        node: site.ids[node] for node in ("r1-00", "r1-01")
    }
    again = done.output.partition("PLAY [Check what came in their place]")[2]
    looked = again.partition("Look the node up")[2].partition("TASK")[0]
    assert "ok: [r1-02]" in looked and "r1-00" not in looked


def test_a_successor_that_is_bad_too_is_refused_and_there_is_no_second_round(site):
    done = site.check(bad=["r1-01"], gh200_replace_bad=True)
    assert done.status != 0 and done.asked == [TERMINATE, LAUNCH] and "r1-01 is refused: 2 ECC" in done.output, (
        done.output
    )


def test_check_mode_predicts_and_asks_only(site):
    done = site.check("--check", bad=["r1-01"], gh200_replace_bad=True)
    # The fleet, and the configuration for ssh.
    assert done.status == 0 and done.asked == [] and "changed=2" in done.output, done.output


def test_a_limited_run_lets_no_bad_node_pass(site):
    done = site.check("--limit", "r1-01", bad=["r1-01"], gh200_replace_bad=True)
    assert done.status != 0 and done.asked == [] and "r1-01 is refused" in done.output, done.output


def test_a_fleet_of_another_size_is_not_resized_by_the_way(site):
    done = site.check(bad=["r1-01"], gh200_replace_bad=True, gh200_size=4)
    assert done.status != 0 and done.asked == [] and "the inventory has 3 nodes, and gh200_size is 4" in done.output, (
        done.output
    )


@pytest.mark.parametrize(
    ("leave", "sentence"), [(True, "gh200_replace_bad cannot replace them"), (False, "exchange these machines")]
)
def test_machines_of_ones_own_are_never_replaced(site, leave, sentence):
    inventory = site.folder / "hosts.yml"
    inventory.write_text(
        "all: {children: {head: {hosts: {node-00: {gh200_address: 192.0.2.1}}},"
        " workers: {hosts: {node-01: {gh200_address: 192.0.2.2}}}}}\n",
        encoding="utf-8",
    )
    done = site.check(bad=["node-01"], inventory=inventory, gh200_replace_bad=leave, gh200_size=2)
    assert (
        done.status != 0
        and done.asked == []
        and "1 of 2 nodes are bad: node-01: 2 ECC" in done.output
        and sentence in done.output
    ), done.output
