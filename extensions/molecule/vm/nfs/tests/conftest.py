# SPDX-License-Identifier: GPL-3.0-or-later
"""The client, the wire, and the role run again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
import testinfra
import yaml

PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
INVENTORY = PROJECT / "inventory/lab-vm"
CONVERGE = Path(__file__).parents[1] / "converge.yml"
SHARE = "/lambda/nfs/shared"


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
        """Read a file that is in no memory: its sha256, and how many bytes the server sent meanwhile."""
        self.run("sync; echo 3 >/proc/sys/vm/drop_caches")
        before = int(self.wire.read_text(encoding="ascii"))
        digest = self.run(f"sha256sum {path}").split()[0]
        return digest, int(self.wire.read_text(encoding="ascii")) - before

    def options(self, path):
        """Of the mount that is there."""
        # An automounter mounts what is looked at.
        return self.run(
            f"ls {path} >/dev/null; findmnt --noheadings --output OPTIONS --target {path} | tail -n 1"
        ).split(",")

    def settle(self):
        """What was read is written to the cache beside the reader."""
        self.run("sync")

    def reboot(self):
        """Until it is there again, with all its units."""
        before = self.run("cat /proc/sys/kernel/random/boot_id")
        deadline = time.monotonic() + 240
        self._try("systemctl reboot")
        while time.monotonic() < deadline:
            now = self._try("cat /proc/sys/kernel/random/boot_id")
            if now not in ("", before):
                self._try("systemctl is-system-running --wait")
                return
            time.sleep(1)
        raise AssertionError("The client did not come back within 240 s.")

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
    package, which takes long here.
    """

    def run(path, *arguments):
        values = json.dumps({"path": path, "keep_free": 1})
        said = ansible("ansible", "-i", INVENTORY, "client", "-m", "gh200.inference.fscache", "-a", values, *arguments)
        begin = re.search(r"client \| (?:SUCCESS|CHANGED) => ", said)
        assert begin, said
        result, dummy = json.JSONDecoder().raw_decode(said, begin.end())
        return result["changed"], result["cached"], said

    return run
