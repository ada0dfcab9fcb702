# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Host keys that are made here and injected, so that the first ssh is already verified."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t


class HostKeys:
    """Keys and known_hosts of one fleet, in its folder."""

    def __init__(self, folder: str):
        self.folder = os.path.join(folder, "hostkeys")
        self.known_hosts = os.path.join(folder, "known_hosts")

    def make(self, node: str) -> None:
        """A new key pair for a node that is to be launched; an older one is of an instance that is gone."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        path = self._path(node)
        for old in (path, path + ".pub"):
            if os.path.exists(old):
                os.unlink(old)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", node, "-f", path], check=True, capture_output=True)

    def public(self, node: str) -> str:
        """Type and key, or empty for a node whose key was not made here."""
        try:
            with open(self._path(node) + ".pub", encoding="utf-8") as stream:
                return " ".join(stream.read().split()[:2])
        except FileNotFoundError:
            return ""

    def user_data(self, node: str, more: dict[str, t.Any] | None = None) -> str:
        """cloud-config that gives the node its key. JSON is YAML."""
        with open(self._path(node), encoding="utf-8") as stream:
            private = stream.read()
        keys = {"ssh_deletekeys": True, "ssh_keys": {"ed25519_private": private, "ed25519_public": f"{self.public(node)} {node}"}}
        return "#cloud-config\n" + json.dumps({**(more or {}), **keys})

    def text(self, nodes: dict[str, t.Iterable[str]]) -> str:
        """known_hosts for nodes and their names and addresses."""
        lines = []
        for node, names in sorted(nodes.items()):
            key = self.public(node)
            lines += [f"{name} {key}\n" for name in dict.fromkeys(names) if name and key]
        return "".join(lines)

    def write_known_hosts(self, nodes: dict[str, t.Iterable[str]]) -> bool:
        """Replace the file if it differs; whether it did."""
        text = self.text(nodes)
        try:
            with open(self.known_hosts, encoding="utf-8") as stream:
                if stream.read() == text:
                    return False
        except FileNotFoundError:
            pass
        os.makedirs(os.path.dirname(self.known_hosts), mode=0o700, exist_ok=True)
        with open(self.known_hosts + ".new", "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(self.known_hosts + ".new", self.known_hosts)
        return True

    def forget(self, nodes: t.Iterable[str]) -> None:
        """Remove the keys of nodes that are gone, and the known_hosts file."""
        for node in nodes:
            for path in (self._path(node), self._path(node) + ".pub"):
                if os.path.exists(path):
                    os.unlink(path)
        if os.path.exists(self.known_hosts):
            os.unlink(self.known_hosts)

    def _path(self, node: str) -> str:
        return os.path.join(self.folder, node)
