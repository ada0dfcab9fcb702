# SPDX-License-Identifier: GPL-3.0-or-later
"""The client, the wire, and the role run again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest
import testinfra
import yaml

PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
INVENTORY = PROJECT / "inventory/lab-vm"
CONVERGE = Path(__file__).parents[1] / "converge.yml"
HAS = (Path(__file__).parents[1] / "files/has.sh").read_text(encoding="utf-8")


class Reading(NamedTuple):
    """A file, read when it was in no memory. In bytes: `wire` is all that the server sent, `content` came in answers to
    READ, `answers` what came in answers to the other `calls` (name to number), without frames and their headers.
    """

    digest: str
    wire: int
    content: int
    answers: int
    calls: dict[str, int]

    def __str__(self):
        calls = ", ".join(f"{name} {number}" for name, number in self.calls.items() if number)
        return (
            f"from the server: {self.wire:,} bytes; answers to READ {self.content:,}, others {self.answers:,}: {calls}"
        )


def counted(mountstats, path):
    """Calls of the mount by that time: name to (number, bytes of the answers)."""
    block = mountstats.partition(f" mounted on {path} with fstype nfs")[2].partition("\ndevice ")[0]
    rows = re.findall(r"^\s+([A-Z_0-9]+): (\d+) \d+ \d+ \d+ (\d+) ", block, re.MULTILINE)
    return {name: (int(number), int(received)) for name, number, received in rows}


class Client:
    """The machine with the mounts, by ssh."""

    def __init__(self, inventory):
        hosts, common = inventory["all"]["hosts"], inventory["all"]["vars"]
        known = common["ansible_ssh_common_args"].split()[1]
        folder = Path(common["ansible_ssh_private_key_file"]).parent
        config = folder / "ssh_config"
        config.write_text(
            f"Host *\n User root\n IdentityFile {folder}/user\n {known.replace('=', ' ')}\n StrictHostKeyChecking yes\n"
            f" ControlMaster auto\n ControlPath {folder}/%h\n ControlPersist 60\n",
            encoding="utf-8",
        )
        self.address = hosts["client"]["ansible_host"]
        self.host = testinfra.get_host(f"ssh://root@{self.address}", ssh_config=str(config), timeout=30)
        # All that the server sends passes here, and ssh to the client does not.
        self.wire = Path(f"/sys/class/net/{hosts['server']['tap']}/statistics/rx_bytes")

    def run(self, command):
        """Output of a command that must succeed."""
        return self.host.check_output(command)

    def read(self, path):
        """A Reading of the file. What was read is written to the cache beside the reader: at the end it is there."""
        look = "cat /proc/self/mountstats"
        wire = int(self.wire.read_text(encoding="ascii"))
        said = self.run(f"sync; echo 3 >/proc/sys/vm/drop_caches; {look}; sha256sum {path}; sync; {look}")
        wire = int(self.wire.read_text(encoding="ascii")) - wire
        digest = re.search(rf"^([0-9a-f]{{64}})  {path}$", said, re.MULTILINE)
        mount = os.path.dirname(path)
        before, after = (counted(text, mount) for text in (said[: digest.start()], said[digest.end() :]))
        calls = {name: number - before.get(name, (0, 0))[0] for name, (number, dummy) in after.items()}
        came = {name: received - before.get(name, (0, 0))[1] for name, (dummy, received) in after.items()}
        content = came.pop("READ") + came.pop("READ_PLUS", 0)
        return Reading(digest[1], wire, content, sum(came.values()), calls)

    def options(self, path):
        """Of the mount that is there."""
        path = shlex.quote(path)
        # An automounter mounts what is looked at.
        return self.run(
            f"ls {path} >/dev/null; findmnt --noheadings --output OPTIONS --target {path} | tail -n 1"
        ).split(",")

    def changes(self):
        """Lines of diff between what the machine had when it was prepared and what it has now."""
        return self.host.run(f"(\n{HAS}\n) | diff /run/has.before -").stdout

    @contextlib.contextmanager
    def holder(self, folder):
        """A process that works in the folder meanwhile: its pid."""
        pid = self.run(f"cd {folder}; nohup sleep 3600 </dev/null >/dev/null 2>&1 & echo $!")
        yield pid
        self.run(f"kill {pid}; while kill -0 {pid} 2>/dev/null; do sleep 0.1; done")

    def reboot(self):
        """Until it is there again, with all its units."""
        before = self.run("cat /proc/sys/kernel/random/boot_id")
        deadline = time.monotonic() + 600
        self._try("systemctl reboot")
        while time.monotonic() < deadline:
            now = self._try("cat /proc/sys/kernel/random/boot_id")
            if now not in ("", before):
                self._try("systemctl is-system-running --wait")
                return
            time.sleep(1)
        raise AssertionError("The client did not come back within 600 s.")

    def _try(self, command):
        """Output, or nothing while nobody is there."""
        try:
            return self.host.run(command).stdout.strip()
        except RuntimeError:
            return ""


@pytest.fixture(name="client", scope="session")
def client_of_the_pair():
    """The client of inventory/lab-vm."""
    return Client(yaml.safe_load((INVENTORY / "hosts.yml").read_text(encoding="utf-8")))


def ansible(*arguments):
    """All that Ansible said, in one line, for sentences are broken where they are shown."""
    environment = os.environ | {"ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
    ran = subprocess.run(
        [str(part) for part in arguments], env=environment, cwd=PROJECT, capture_output=True, text=True, check=False
    )
    return " ".join((ran.stdout + ran.stderr).split())


@pytest.fixture(name="role", scope="session")
def role_again():
    """role(state): runs converge.yml once more; (tasks that changed, tasks that failed, all that was said)."""

    def run(state):
        said = ansible("ansible-playbook", "-i", INVENTORY, CONVERGE, "-e", f"nfs_cache_state={state}")
        counts = re.search(r"client : ok=\d+ changed=(\d+) unreachable=0 failed=(\d+)", said)
        assert counts, said
        return int(counts[1]), int(counts[2]), said

    return run


@pytest.fixture(name="module", scope="session")
def module_alone():
    """module(path, *arguments): (changed, cached, all that was said) of fscache as the role calls it, without the
    package, which takes long here. Further words are its options.
    """

    def run(path, *arguments, **options):
        values = json.dumps({"path": path, "keep_free": 1} | options)
        said = ansible("ansible", "-i", INVENTORY, "client", "-m", "gh200.inference.fscache", "-a", values, *arguments)
        begin = re.search(r"client \| (?:SUCCESS|CHANGED|FAILED!) => ", said)
        assert begin, said
        result, dummy = json.JSONDecoder().raw_decode(said, begin.end())
        return result.get("changed"), result.get("cached"), said

    return run
