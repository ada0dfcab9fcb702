# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes, watches and destroys nodes. What it made is written down before it is made."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .. import shell
from ..config import Paths
from ..errors import LabError
from . import cgroups, flavour, host, image, network, seed
from .node import NUMBERS, Node, NodeSpec


class NodeDriver:
    """All state is on disk, so that any process can go on with the nodes of another."""

    def __init__(self, paths: Paths):
        self.paths = paths
        self.folder = paths.run / "nodes"

    def prepare(self, progress: Callable[[str], None]) -> None:
        """Base image and network; does nothing where they are."""
        image.build(self.paths, progress)
        network.up(self.paths)

    def create(self, spec: NodeSpec) -> Node:
        """Start a node; it boots on after this returns."""
        node = self._reserve(spec)
        folder = self.folder / spec.id
        for name in ("upper", "work", "root"):
            (folder / name).mkdir()
        lower = ":".join(
            map(str, [*flavour.layers(self.paths, spec.image), image.build(self.paths, lambda text: None)])
        )
        shell.run(
            "mount",
            "-t",
            "overlay",
            "overlay",
            "-o",
            f"lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work",
            folder / "root",
        )
        seed.plant(folder / "root", spec.id, spec.hostname, node.private_ip, spec.ssh_public_keys, spec.user_data)
        network.connect(node.namespace, node.number)
        self._start(node, self._binds(spec, folder / "root"))
        return node

    def status(self, node_id: str) -> str:
        """`booting` until sshd answers, then `running`; `gone` when no process of the node is left."""
        node = self.get(node_id)
        if node is None or not cgroups.processes(node.cgroup):
            return "gone"
        try:
            with socket.create_connection((node.ip, 22), timeout=0.3) as connection:
                connection.settimeout(1)
                return "running" if connection.recv(4) == b"SSH-" else "booting"
        except OSError:
            return "booting"

    def reboot(self, node_id: str) -> None:
        """As a power button does it: by the node's own systemd."""
        node = self.get(node_id)
        for pid in cgroups.processes(node.cgroup) if node else ():
            if _is_init(pid):
                os.kill(pid, signal.SIGRTMIN + 5)

    def destroy(self, node_id: str) -> list[str]:
        """Everything of the node goes; returns what did not."""
        folder = self.folder / node_id
        if not folder.exists():
            return []
        node = self.get(node_id) or self._running_on(folder)
        if node is None:
            return _discard(folder)
        stuck = not cgroups.kill(node.cgroup)
        left = [f"processes of {node.hostname} {sorted(cgroups.processes(node.cgroup))}"] if stuck else []
        network.disconnect(node.namespace, node.number)
        if os.path.ismount(folder / "root"):
            shell.run("umount", folder / "root")
        left += cgroups.remove(node.cgroup)
        if not left:
            image.remove(folder)
        return left

    def ids(self) -> list[str]:
        """Of all nodes, running or not."""
        return sorted(path.parent.name for path in self.folder.glob("*/node.json"))

    def record(self, node_id: str) -> Path:
        """The file in which a node is written down."""
        return self.folder / node_id / "node.json"

    def get(self, node_id: str) -> Node | None:
        """What is written about a node; None if there is none, or its record is damaged."""
        return Node.read(self.record(node_id))

    def teardown(self, progress: Callable[[str], None]) -> list[str]:
        """All nodes and the network; returns what could not be removed."""
        left = []
        for node_id in self.ids():
            node = self.get(node_id)
            name = node.hostname if node else f"{node_id}, whose record {self.record(node_id)} cannot be read"
            progress(f"removing node {name}")
            left += self.destroy(node_id)
        image.remove(self.paths.cache / "base-unfinished")
        return left + network.down(self.paths)

    def _reserve(self, spec: NodeSpec) -> Node:
        taken = {node.number for node in map(self.get, self.ids()) if node}
        numbers = (number for number in NUMBERS if number not in taken)
        # A lab in another folder may run beside this one; what a dead one left is cleared away.
        candidates = (Node(spec.id, spec.hostname, number) for number in numbers)
        node = next((node for node in candidates if not cgroups.processes(node.cgroup)), None)
        if node is None:
            raise LabError(f"There are {len(NUMBERS)} nodes on this machine already: end some of them first.")
        network.disconnect(node.namespace, node.number)
        folder = self.folder / spec.id
        if folder.exists():
            raise LabError(f"A node {spec.id} exists already.")
        folder.mkdir(parents=True)
        node.write(self.record(spec.id))
        return node

    def _running_on(self, folder: Path) -> Node | None:
        """A node without a record that can be read, known by a process that was started on its folder."""
        for node in (Node(folder.name, folder.name, number) for number in NUMBERS):
            if any(f"--directory={folder / 'root'}" in _arguments(pid) for pid in cgroups.processes(node.cgroup)):
                return node
        return None

    def _binds(self, spec: NodeSpec, root: Path) -> list[str]:
        pip_cache = self.paths.cache / "pip"
        if not pip_cache.exists():
            pip_cache.mkdir(parents=True)
            os.chown(pip_cache, 1000, 1000)
        binds = [f"--bind={pip_cache}:/var/cache/pip"]
        binds += [f"--bind-ro={folder}" for folder in host.local_folders(host.pip_settings())]
        binds += [f"--bind={here}:{there}" for here, there in spec.mounts.items()]
        for there in spec.mounts.values():
            (root / there.lstrip("/")).mkdir(parents=True, exist_ok=True)
        return binds

    def _start(self, node: Node, options: list[str]) -> None:
        folder = self.folder / node.id
        groups = [str(path) for path in cgroups.make(node.cgroup)]
        command = [
            "/bin/bash",
            str(Path(__file__).with_name("supervise.sh")),
            str(folder),
            node.namespace,
            node.hostname,
            *groups,
            "--",
            *options,
        ]
        # A session of its own: Ctrl-C at the terminal is not meant for the nodes.
        with (folder / "console.log").open("ab") as log:
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/")
        # Until its first process is where it belongs: without one the node counts as gone.
        deadline = time.monotonic() + 10
        while not cgroups.processes(node.cgroup):
            if time.monotonic() > deadline:
                raise LabError(f"The node {node.hostname} did not start. Its console is {folder / 'console.log'}.")
            time.sleep(0.005)


def _is_init(pid: int) -> bool:
    """Whether this process is number 1 of its own namespace."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    return next(line for line in status.splitlines() if line.startswith("NSpid:")).split()[1:] == [str(pid), "1"]


def _arguments(pid: int) -> list[str]:
    """The command line of a process; nothing if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _discard(folder: Path) -> list[str]:
    """Remove a folder of which no process is known.

    One that is mounted may be in use all the same: it stays, and is named.
    """
    root = folder / "root"
    if os.path.ismount(root):
        return [f"the node on {root} (its record cannot be read: see that nothing uses it, and run `umount {root}`)"]
    image.remove(folder)
    return []
