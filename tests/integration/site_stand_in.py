# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml and wheels.yml on a simulated account, with roles that only note that they were there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from .world import LAUNCH, TERMINATE

REPOSITORY = Path(__file__).resolve().parents[2]
# Role, part, node, number of nodes that the account shows: a line each. `trouble` is what happens in the build, once.
NOTE = """
import json, os, sys, urllib.request
marks, trouble, url, key, here, node, instance = sys.argv[1:]
def ask(path, body=None):
    request = urllib.request.Request(url + path, json.dumps(body).encode() if body else None,
                                     {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))["data"]
alive = [item for item in ask("/instances") if item["status"] == "active"]
with open(marks, "a") as file:
    file.write(f"{here} {node} {len(alive)}\\n")
if here == "vllm_build/main" and os.path.exists(trouble):
    what = open(trouble).read()
    os.unlink(trouble)
    if what == "end":
        ask("/instance-operations/terminate", {"instance_ids": [instance]})
    else:
        sys.exit("the compiler gave up")
"""


# What else the roles do is not looked at.
NOTED = ("vllm_build/main", "hf_models/main", "vllm_serve/main")
# As the real one leaves it: the first node that is looked at is bad, if a file says so.
BAD = "{{ lookup('ansible.builtin.pipe', 'rm ' ~ (bad | quote) ~ ' 2>&1 && echo 1 || echo 0') | last | int }}"
FOUND = {"rc": BAD, "stderr_lines": ["2 ECC errors"]}


def stub(here: str) -> list[dict]:
    """Tasks of a role's part."""
    if here == "gpu_check/main":
        reach = {"name": "Reach it", "ansible.builtin.raw": "true", "changed_when": False, "check_mode": False}
        return [reach, {"name": "Look whether it is bad", "ansible.builtin.set_fact": {"__gpu_check": FOUND}}]
    if here not in NOTED:
        return []
    # By the control node itself, which takes a fraction of a task on a host.
    words = f"marks, trouble, gh200_lambda.api_url, gh200_lambda.api_key, '{here}', inventory_hostname, lambda_id"
    command = f"[{sys.executable!r}, note, {words}] | map('quote') | join(' ')"
    return [
        {
            "name": f"Note {here}",
            "ansible.builtin.debug": {"msg": f"{{{{ lookup('ansible.builtin.pipe', {command}) }}}}"},
        }
    ]


def collection(folder: Path) -> Path:
    """This collection with such roles; its folder."""
    root = folder / "ansible_collections/gh200/inference"
    for source in sorted((REPOSITORY / "roles").iterdir()):
        target = root / "roles" / source.name
        target.mkdir(parents=True)
        for part in source.iterdir():
            if part.name != "tasks":
                (target / part.name).symlink_to(part)
        if (source / "tasks").is_dir():
            (target / "tasks").mkdir()
            for part in source.glob("tasks/*.yml"):
                (target / "tasks" / part.name).write_text(
                    json.dumps(stub(f"{source.name}/{part.stem}")), encoding="utf-8"
                )
    for name in ("plugins", "meta", "galaxy.yml"):
        (root / name).symlink_to(REPOSITORY / name)
    shutil.copytree(REPOSITORY / "playbooks", root / "playbooks")
    # Nothing listens on these instances.
    fleet = root / "playbooks/tasks/fleet.yml"
    told = fleet.read_text(encoding="utf-8")
    assert "    state: present\n" in told
    haste = "    state: present\n    wait_for_ssh: false\n    settle_time: 0.2\n"
    fleet.write_text(told.replace("    state: present\n", haste), encoding="utf-8")
    return root


class Site:
    """An account without nodes, and a control node that has nothing yet."""

    def __init__(self, cloud, hub_url: str, folder: Path):
        self.cloud, self.folder = cloud, folder
        self.root = collection(folder / "collections")
        self.marks, self.trouble, self.state = folder / "marks", folder / "trouble", folder / "state"
        (folder / "note.py").write_text(NOTE, encoding="utf-8")
        self.inventory = folder / "lambda_cloud.yml"
        compose = {"gh200_address": "lambda_private_ip"}
        self.inventory.write_text(
            json.dumps({"plugin": "gh200.inference.lambda_cloud", "fleet": "r1", "compose": compose, **cloud.options}),
            encoding="utf-8",
        )
        self.variables = {
            "gh200_state_dir": str(self.state),
            "gh200_size": 4,
            "gh200_ssh_key_name": "laptop",
            "gh200_poll_interval": 0.01,
            "gh200_gpu_memory_mib": 400000,
            "gh200_hub_endpoint": hub_url,
            "gh200_hub_token": "",
            "gh200_lambda": cloud.options,
            "ansible_connection": "local",
            "ansible_become": False,
            "ansible_python_interpreter": sys.executable,
            "marks": str(self.marks),
            "trouble": str(self.trouble),
            "note": str(folder / "note.py"),
            "bad": str(folder / "bad"),
        }

    def run(self, playbook: str, *arguments: str, **more) -> SimpleNamespace:
        """status, output, asked (changes of the account), and marks as (role, part, node, nodes that ran)."""
        self.marks.write_text("", encoding="utf-8")
        self.cloud.calls()
        command = [Path(sys.executable).parent / "ansible-playbook", "-i", self.inventory]
        done = subprocess.run(
            [*command, self.root / f"playbooks/{playbook}.yml", "-e", json.dumps(self.variables | more), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=180,
            stdin=subprocess.DEVNULL,
            env={
                **os.environ,
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_CONFIG": str(REPOSITORY / "ansible.cfg"),
                "GH200_STATE_DIR": str(self.state),
                "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            },
        )
        output = done.stdout + done.stderr
        assert "Traceback" not in output and "WARNING" not in output, output
        lines = [line.split() for line in self.marks.read_text(encoding="utf-8").splitlines()]
        return SimpleNamespace(
            status=done.returncode,
            output=output,
            asked=[call for call in self.cloud.calls() if call in (LAUNCH, TERMINATE)],
            marks=[(here, node, int(alive)) for here, node, alive in lines],
        )

    def alive(self) -> dict[str, str]:
        """Node to id of what runs."""
        return {
            tag["value"]: item["id"]
            for item in self.cloud.cloud.instances()
            if item["status"] == "active"
            for tag in item["tags"]
            if tag["key"] == "gh200:node"
        }

    def end(self, *nodes: str) -> None:
        """Without telling anybody."""
        running = self.alive()
        for node in nodes or running:
            self.cloud.cloud.terminate([running[node]])

    def notes(self) -> dict:
        """What the next run will know."""
        return json.loads((self.state / "growth.json").read_text(encoding="utf-8"))
