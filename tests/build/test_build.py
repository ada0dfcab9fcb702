# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball that `make build` made: what is in it, and that it works where there is nothing but Ansible."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

TARBALL = Path(os.environ["COLLECTION"])
FOLDERS = {"changelogs", "docs", "inventory", "meta", "playbooks", "plugins", "roles"}
FILES = {"CHANGELOG.rst", "CONTRIBUTING.md", "COPYING", "FILES.json", "MANIFEST.json", "README.md"}
INVENTORY = {"inventory/group_vars/all.yml", "inventory/lambda_cloud.yml", "inventory/static.example.yml"}


@pytest.fixture(name="names", scope="module")
def names_in_tarball() -> set[str]:
    """Files in the tarball."""
    with tarfile.open(TARBALL) as tarball:
        return {member.name for member in tarball.getmembers() if not member.isdir()}


@pytest.fixture(name="run", scope="module")
def empty_environment(tmp_path_factory):
    """run(tool, arguments..): output of an Ansible tool with an empty home that has this collection and no other."""
    home = tmp_path_factory.mktemp("home")
    # Its own environment: that of this checkout has the checkout for the collection.
    subprocess.run([sys._base_executable, "-m", "venv", home / "venv"], check=True)
    constraints = Path(__file__).resolve().parents[2] / "constraints.txt"
    subprocess.run(
        [
            home / "venv/bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--quiet",
            "-c",
            constraints,
            "ansible-core",
            "requests",
        ],
        check=True,
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "LAMBDA_", "GH200_"))}
    path = f"{home}/venv/bin:{os.environ['PATH']}"
    environment = kept | {"HOME": str(home), "PATH": path, "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"}

    def run(tool: str, *arguments: str | Path) -> str:
        done = subprocess.run(
            [home / "venv/bin" / tool, *arguments],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("ansible-galaxy", "collection", "install", TARBALL)
    return run


def modules(names: set[str], kind: str) -> list[str]:
    """Full names of the plugins in a folder."""
    paths = (Path(name) for name in names if name.startswith(f"plugins/{kind}/") and name.endswith(".py"))
    return sorted(f"gh200.inference.{path.stem}" for path in paths)


def test_it_has_what_is_the_collections_and_nothing_of_the_checkout(names):
    assert {name for name in names if "/" not in name} == FILES
    assert {name.split("/")[0] for name in names if "/" in name} == FOLDERS
    assert {name for name in names if name.startswith("inventory/")} == INVENTORY
    odd = [name for name in names if any(part.startswith((".", "__pycache__")) for part in name.split("/"))]
    assert not odd and not [name for name in names if name.endswith((".pyc", ".tar.gz", ".log"))]


def test_every_role_and_playbook_of_the_checkout_is_in_it(names):
    root = Path(__file__).resolve().parents[2]
    wanted = [*root.glob("roles/*/README.md"), *root.glob("roles/*/meta/*.yml"), *root.glob("playbooks/**/*.yml")]
    assert wanted and not {str(path.relative_to(root)) for path in wanted} - names


def test_every_playbook_is_understood(run, names):
    playbooks = sorted(Path(name).stem for name in names if Path(name).parent == Path("playbooks"))
    assert {"site", "provision", "teardown"} <= set(playbooks)
    for playbook in playbooks:
        run("ansible-playbook", "-i", "localhost,", "--syntax-check", f"gh200.inference.{playbook}")


def test_the_tasks_of_all_roles_are_found(run):
    listed = run("ansible-playbook", "-i", "localhost,", "--list-tasks", "gh200.inference.site")
    assert "Launch the nodes, or adopt those that are there" in listed and "vllm_serve : " in listed


def test_ansible_doc_knows_every_plugin_and_role(run, names):
    shown = json.loads(run("ansible-doc", "--json", "--type", "module", *modules(names, "modules")))
    assert len(shown) == len(modules(names, "modules")) > 20 and all(page["doc"] for page in shown.values())
    for kind, name in (("inventory", "lambda_cloud"), ("filter", "serving_plan")):
        full = f"gh200.inference.{name}"
        assert full in json.loads(run("ansible-doc", "--json", "--type", kind, full))
    roles = {f"gh200.inference.{Path(name).parts[1]}" for name in names if name.startswith("roles/")}
    assert set(json.loads(run("ansible-doc", "--json", "--type", "role", "--list", "gh200.inference"))) == roles


def test_the_action_group_is_known_by_its_full_name(run, tmp_path):
    """Without it the address would be the default one, and the sentence another."""
    play = [
        {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {"group/gh200.inference.lambda": {"api_url": "ftp://nobody"}},
            "tasks": [
                {"gh200.inference.lambda_region_info": None, "register": "it", "ignore_errors": True},
                {"ansible.builtin.assert": {"that": "'ftp://nobody' in it.msg"}},
            ],
        }
    ]
    (tmp_path / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    run("ansible-playbook", "-i", "localhost,", tmp_path / "play.yml")
