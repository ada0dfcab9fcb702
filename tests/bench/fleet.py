# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab that is measured: its nodes, playbooks on them, and commands by parallel ssh as a person would type them."""

from __future__ import annotations

import concurrent.futures
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

from tests.bench.cost import Cost, Meter
from tests.bench.record import lines, recording

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
INVENTORY = "inventory/lab"
# What the person has in ~/.ssh/config who does not want to wait.
WARM = ["-o", "ControlMaster=auto", "-o", "ControlPersist=300s"]


class Stopped(Exception):
    """A sentence: what could not be measured, and why."""


class Fleet:
    """The nodes of an inventory, as Ansible sees them."""

    def __init__(self, inventory: str = INVENTORY):
        self.inventory = inventory
        listed = command([BIN / "ansible-inventory", "-i", inventory, "--list"])
        self.listed = json.loads(listed)
        self.hosts: dict[str, dict] = self.listed["_meta"]["hostvars"]

    @property
    def head(self) -> str:
        """The name of the first node."""
        return self.listed["head"]["hosts"][0]

    def ssh(self, host: str, text: str, options: list[str]) -> list[str]:
        """The command line; the inventory's own options come with it, so that host keys are compared."""
        known = self.hosts[host]
        keys = [*shlex.split(known["ansible_ssh_common_args"]), "-i", known["ansible_ssh_private_key_file"]]
        where = ["-p", str(known.get("ansible_port", 22)), f"{known['ansible_user']}@{known['ansible_host']}"]
        return ["ssh", "-F", "none", "-o", "BatchMode=yes", *options, *keys, *where, text]

    def everywhere(self, text: str, options: list[str], hosts: list[str] | None = None) -> dict[str, str]:
        """What a command says on all nodes at once, as the tutorial's `runall`."""

        def one(host: str) -> str:
            return command(self.ssh(host, text, options), stdin=subprocess.DEVNULL)

        chosen = hosts or list(self.hosts)
        with concurrent.futures.ThreadPoolExecutor(len(chosen)) as pool:
            return dict(zip(chosen, pool.map(one, chosen), strict=True))


def command(words: list, **options) -> str:
    """The output of a command that must end well."""
    ran = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False, **options)
    if ran.returncode:
        said = (ran.stderr.strip() or ran.stdout.strip())[-1500:]
        raise Stopped(f"{shlex.join(map(str, words))} ended with status {ran.returncode}: {said}")
    return ran.stdout


class Runs:
    """Runs of playbooks; what each wrote is kept in a folder, under the run's name."""

    def __init__(self, meter: Meter, folder: Path):
        self.meter, self.folder = meter, folder
        folder.mkdir(parents=True, exist_ok=True)

    def play(self, name: str, inventory: str, playbook: str) -> tuple[Cost, list[dict]]:
        """What a run costs, and its host-tasks."""
        record, log, progress = (self.folder / f"{name}.{end}" for end in ("jsonl", "log", "progress"))
        for former in (record, progress):
            former.unlink(missing_ok=True)
        env = os.environ | recording(record) | {"GH200_PROGRESS_LOG": str(progress)}
        words = [str(BIN / "ansible-playbook"), "-i", inventory, playbook]
        with log.open("w", encoding="utf-8") as out:
            options = {"cwd": REPOSITORY, "env": env, "stdin": subprocess.DEVNULL}
            status, cost = self.meter.run(words, stdout=out, stderr=out, **options)
        if status:
            said = log.read_text(encoding="utf-8")[-1500:]
            raise Stopped(f"{shlex.join(words)} ended with status {status}, its output is {log}: {said}")
        return cost, list(lines(record))

    def progress(self, name: str) -> list[dict]:
        """What the run's jobs told, see docs/progress.md."""
        return list(lines(self.folder / f"{name}.progress"))
