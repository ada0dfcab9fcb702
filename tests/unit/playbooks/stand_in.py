# SPDX-License-Identifier: GPL-3.0-or-later
"""This collection with roles that do nothing but show their variables, to see what the playbooks hand to them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
ROLES = sorted(path.parents[1].name for path in REPOSITORY.glob("roles/*/meta/argument_specs.yml"))
CALLBACKS = Path(__file__).parent / "callback_plugins"
HEAD, WORKER = "node-a", "node-b"


def options(role: str) -> dict[str, dict]:
    """Name to specification of the role's variables."""
    specs = yaml.safe_load((REPOSITORY / "roles" / role / "meta/argument_specs.yml").read_text(encoding="utf-8"))[
        "argument_specs"
    ]
    return {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}


def plays() -> dict[str, str]:
    """Name of each play to its playbook's; parts of playbooks are in parts/."""
    paths = [path for pattern in ("*.yml", "parts/*.yml") for path in sorted((REPOSITORY / "playbooks").glob(pattern))]
    files = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths}
    return {play["name"]: name for name, content in files.items() for play in content if "hosts" in play}


def roles_of(path: Path) -> set[str]:
    """The roles that a playbook names, or the files of tasks that it takes in."""
    found, waiting = set(), [yaml.safe_load(path.read_text(encoding="utf-8"))]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            found |= {
                item[key].rpartition(".")[2]
                for key in ("role", "name")
                if str(item.get(key)).startswith("gh200.inference.")
            }
            for action in ("import_tasks", "include_tasks"):
                if f"ansible.builtin.{action}" in item:
                    found |= roles_of(path.parent / item[f"ansible.builtin.{action}"])
            waiting += item.values()
    return found


def build(folder: Path, more: dict[str, dict]) -> Path:
    """The collection under `folder`. `more`: for a role, further names and the templates that are shown under them."""
    root = folder / "ansible_collections/gh200/inference"
    for role in ROLES:
        source, target = REPOSITORY / "roles" / role, root / "roles" / role
        (target / "tasks").mkdir(parents=True)
        for part in source.iterdir():
            if part.name != "tasks":
                (target / part.name).symlink_to(part)
        shown = {name: f"{{{{ {name} }}}}" for name in options(role)} | more.get(role, {})
        text = json.dumps(
            [{"name": "Show what arrived", "ansible.builtin.debug": {"msg": {"arrived": role, "values": shown}}}]
        )
        for file in {"main.yml"} | {path.name for path in source.glob("tasks/*.yml")}:
            (target / "tasks" / file).write_text(text, encoding="utf-8")
    for name in ("plugins", "meta", "playbooks", "galaxy.yml"):
        (root / name).symlink_to(REPOSITORY / name)
    return root


def arrivals(folder: Path, playbooks: list[str], variables: dict, more: dict[str, dict] | None = None) -> list[dict]:
    """
    What the roles get of an inventory that has `variables` for all hosts. A playbook may fail after that.

    Each has host, playbook, arrived (the role) and values (name to value).
    """
    root = build(folder / "collections", more or {})
    here = {"ansible_connection": "local", "ansible_become": False, "ansible_python_interpreter": sys.executable}
    # Leave that no default gives, and which stands on the command line.
    here["gh200_absent"] = True
    # Of another fleet, so that provision.yml ends before it asks anybody.
    hosts = {
        name: {"gh200_address": f"192.0.2.{number}", "lambda_fleet": "another"}
        for number, name in ((1, HEAD), (2, WORKER))
    }
    groups = {"head": {"hosts": {HEAD: hosts[HEAD]}}, "workers": {"hosts": {WORKER: hosts[WORKER]}}}
    inventory = folder / "hosts.json"
    inventory.write_text(json.dumps({"all": {"vars": here | variables, "children": groups}}), encoding="utf-8")
    told = folder / "arrivals"
    told.touch()
    environment = os.environ | {
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_CALLBACK_PLUGINS": str(CALLBACKS),
        "ANSIBLE_CALLBACKS_ENABLED": "arrivals",
        "ARRIVALS_FILE": str(told),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
        "ANSIBLE_REMOTE_TMP": str(folder / "tmp"),
        "GH200_STATE_DIR": str(folder / "state"),
    }
    where, output = plays(), ""
    for name in playbooks:
        command = [Path(sys.executable).parent / "ansible-playbook", "-i", inventory, root / f"playbooks/{name}.yml"]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        output += done.stdout + done.stderr
    found = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
    if not found:
        raise AssertionError(output)
    return [line | {"playbook": where[line["play"]]} for line in found]
