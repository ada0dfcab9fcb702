# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has said in this run that all its files are there is not asked again; if one lacks some, all are asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.playbooks.stand_in import build


@pytest.fixture(name="asked", scope="module")
def hosts_that_are_asked(tmp_path_factory):
    """asked(a, b): hosts on which models.yml runs its role, after a look with these statuses; None for no look."""
    folder = tmp_path_factory.mktemp("look")
    root = build(folder / "collections", {})

    def asked(*statuses):
        here = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": sys.executable}
        hosts = {
            name: here | {"gh200_address": f"192.0.2.{number}", "status": status}
            for number, (name, status) in enumerate(zip(("node-a", "node-b"), statuses, strict=True), start=1)
        }
        groups = {"head": {"hosts": {"node-a": hosts["node-a"]}}, "workers": {"hosts": {"node-b": hosts["node-b"]}}}
        (folder / "hosts.json").write_text(json.dumps({"all": {"children": groups}}), encoding="utf-8")
        look = {
            "hosts": "all",
            "gather_facts": False,
            "tasks": [
                {
                    "ansible.builtin.set_fact": {"__hf_models_seen": {"rc": "{{ status | int }}"}},
                    "when": "status is not none",
                }
            ],
        }
        plays = [look, {"ansible.builtin.import_playbook": str(root / "playbooks/models.yml")}]
        (folder / "play.yml").write_text(json.dumps(plays), encoding="utf-8")
        environment = os.environ | {
            "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
            "ANSIBLE_REMOTE_TMP": str(folder / "tmp"),
            "GH200_STATE_DIR": str(folder / "state"),
        }
        program = Path(sys.executable).parent / "ansible-playbook"
        command = [program, "-i", folder / "hosts.json", folder / "play.yml"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        role = done.stdout.partition("TASK [gh200.inference.hf_models : Show")[2].partition("PLAY RECAP")[0]
        return [name for name in hosts if f"ok: [{name}]" in role]

    return asked


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [((0, 0), []), ((0, 1), ["node-a", "node-b"]), ((0, None), ["node-a", "node-b"])],
    ids=["all is there", "one lacks some", "one was not asked"],
)
def test_models_are_asked_for_again_where_something_was_missing(asked, statuses, expected):
    assert asked(*statuses) == expected
