# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Host keys that are made here and injected, so that the first ssh is already verified.

A key belongs to one launch, not to a node or an address: both come again with another machine behind them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models, ssh_keys

from . import plan, state_dir


def name_of(instance: models.Instance) -> str:
    """Under which name an instance's key is kept: its launch, or its id if that tag is not one of ours."""
    run = instance.tags.get(plan.RUN, "")
    return (
        run
        if re.fullmatch(r"[0-9a-z][0-9a-z-]{0,63}", run)
        else re.sub(r"[^0-9A-Za-z]", "", instance.id)[:64] or "none"
    )


class HostKeys:
    """Keys and known_hosts of one fleet, in its folder."""

    def __init__(self, folder: str):
        self.folder = os.path.join(folder, "hostkeys")
        self.known_hosts = os.path.join(folder, "known_hosts")
        # Written by the module ssh_config; without known_hosts it leads nowhere.
        self.ssh_config = os.path.join(folder, "ssh_config")

    def make(self, name: str, comment: str) -> None:
        """A new key pair, for a launch that is about to be asked for."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        path = self._path(name)
        done = ssh_keys.keygen(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path])
        if done.returncode or not os.path.exists(path):
            said = " ".join((done.stderr or done.stdout).split())[:160] or "nothing"
            raise errors.CloudError(
                f"ssh-keygen failed to make the host key of {comment} in {self.folder}: it ended with "
                f"{done.returncode} and said: {said}."
            )

    def accept(self, name: str, address: str) -> bool:
        """Keep the key that the machine shows now, unverified: the user has said so. Whether there was one."""
        got = _run("ssh-keyscan", "-T", "5", "-t", "ed25519", address).stdout
        keys = [line.split()[1:3] for line in got.splitlines() if len(line.split()) >= 3 and not line.startswith("#")]
        if not keys:
            return False
        state_dir.replace(self._path(name) + ".pub", " ".join(keys[0]) + "\n")
        return True

    def public(self, name: str) -> str:
        """Type and key, or empty for one that is not known here."""
        try:
            with open(self._path(name) + ".pub", encoding="utf-8", errors="replace") as stream:
                return " ".join(stream.read().split()[:2])
        except FileNotFoundError:
            return ""

    def user_data(self, name: str, comment: str, more: dict[str, t.Any] | None = None) -> str:
        """cloud-config that gives the machine its key. JSON is YAML."""
        with open(self._path(name), encoding="utf-8") as stream:
            private = stream.read()
        keys = {
            "ssh_deletekeys": True,
            "ssh_keys": {"ed25519_private": private, "ed25519_public": f"{self.public(name)} {comment}"},
        }
        return "#cloud-config\n" + json.dumps({**(more or {}), **keys})

    def text(self, nodes: dict[str, models.Instance]) -> str:
        """known_hosts for nodes, by name and by both addresses."""
        lines = []
        for node, instance in sorted(nodes.items()):
            key = self.public(name_of(instance))
            lines += [
                f"{name} {key}\n" for name in dict.fromkeys((instance.ip, instance.private_ip, node)) if name and key
            ]
        return "".join(lines)

    def write_known_hosts(self, nodes: dict[str, models.Instance]) -> bool:
        """Replace the file if it differs; whether it did."""
        text = self.text(nodes)
        with state_dir.reading(self.known_hosts) as stream:
            if stream and stream.read() == text.encode():
                return False
        state_dir.replace(self.known_hosts, text)
        return True

    def forget(self, name: str) -> None:
        """The key of an instance that is gone, or of a launch that was refused."""
        for path in (self._path(name), self._path(name) + ".pub"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def forget_all(self) -> None:
        """At the end of the fleet: every key of it, known_hosts, and what leads to them."""
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self.folder):
                os.unlink(os.path.join(self.folder, name))
            os.rmdir(self.folder)
        for path in (self.known_hosts, self.ssh_config):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)

    def _path(self, name: str) -> str:
        return state_dir.inside(self.folder, name)


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program of OpenSSH on this machine; CloudError where it is missing."""
    try:
        return subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise errors.CloudError(
            f"{program} could not be run on this machine ({error.strerror}): install OpenSSH's client."
        ) from error
