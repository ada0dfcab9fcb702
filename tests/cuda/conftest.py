# SPDX-License-Identifier: GPL-3.0-or-later
"""One build on one node for all tests of this folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
INVENTORY = "inventory/lab-cuda"


def shown(*command):
    """Run a command, show its output as it comes, and return it with the exit status."""
    lines = []
    words = [str(word) for word in command]
    process = subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        lines.append(line)
        print(line, end="", flush=True)
    return process.wait(), "".join(lines)


def playbook(*names):
    return shown(BIN / "ansible-playbook", "-i", INVENTORY, *(f"playbooks/{name}.yml" for name in names))


def lab(command):
    status, output = shown(sys.executable, "-m", "lab", command)
    assert status == 0, output


class Node:
    """The node of the inventory, over ssh that is verified."""

    def __init__(self):
        command = [BIN / "ansible-inventory", "-i", INVENTORY, "--list"]
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
        (self.variables,) = json.loads(listed.stdout)["_meta"]["hostvars"].values()

    def run(self, command, text=""):
        """Output of a shell command; `text` is its input."""
        known = self.variables
        ssh = ["ssh", "-F", "none", "-o", "BatchMode=yes", *known["ansible_ssh_common_args"].split()]
        words = [*ssh, "-i", known["ansible_ssh_private_key_file"], f"ubuntu@{known['ansible_host']}", command]
        done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def python(self, program, *arguments, before=""):
        """Output of a program in the environment that has vLLM."""
        return self.run(f"cd /; {before} {self.venv}/bin/python - {' '.join(arguments)}", program)

    @property
    def venv(self):
        return self.run("ls -d /lambda/nfs/*/gh200/venvs/vllm-*").strip()

    @property
    def wheelhouse(self):
        return self.run("ls -d /lambda/nfs/*/gh200/wheelhouse/vllm-*").strip()


@pytest.fixture(name="built", scope="session")
def building():
    """Output of the build's playbook, its exit status, and the node; nothing of an earlier lab is left."""
    lab("down")
    lab("cuda")
    try:
        assert playbook("provision", "prepare")[0] == 0
        status, output = playbook("build")
        yield status, output, Node()
    finally:
        lab("down")
