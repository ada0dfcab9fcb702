# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes, watches and destroys nodes. What it made is written down before it is made."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .. import shell
from ..config import PRIVATE, PUBLIC, Paths
from ..errors import LabError
from . import cgroups, flavour, host, image, network, seed


@dataclass(frozen=True)
class NodeSpec:
    """What the cloud knows of an instance that it starts. `mounts`: folder here to folder there; `image`: its family."""

    id: str
    hostname: str
    ssh_public_keys: list[str] = field(default_factory=list)
    user_data: str = ""
    mounts: dict[str, str] = field(default_factory=dict)
    image: str = ""


@dataclass(frozen=True)
class Node:
    """A node that was made. `number` gives its addresses and the names of its devices."""

    id: str
    hostname: str
    number: int

    @property
    def ip(self) -> str:
        return f"{PUBLIC}.{10 + self.number}"

    @property
    def private_ip(self) -> str:
        return f"{PRIVATE}.{10 + self.number}"

    @property
    def namespace(self) -> str:
        return f"gh200-{self.number}"

    @property
    def cgroup(self) -> str:
        return f"node-{self.number}"


class NodeDriver:
    """All state is on disk, so that any process can go on with the nodes of another."""

    def __init__(self, paths: Paths):
        self.paths = paths
        self.folder = paths.run / "nodes"

    def prepare(self, progress: Callable[[str], None]) -> None:
        """Base image and network; does nothing where they are."""
        self._image = image.build(self.paths, progress)
        network.up(self.paths)

    def create(self, spec: NodeSpec) -> Node:
        """Start a node; it boots on after this returns."""
        node = self._reserve(spec)
        folder = self.folder / spec.id
        for name in ("upper", "work", "root"):
            (folder / name).mkdir()
        lower = ":".join(map(str, [*flavour.layers(self.paths, spec.image), image.build(self.paths, lambda text: None)]))
        shell.run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={lower},upperdir={folder}/upper,workdir={folder}/work", folder / "root")
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
        node = self.get(node_id)
        if node is None:
            return []
        folder = self.folder / node_id
        left = [] if cgroups.kill(node.cgroup) else [f"processes of {node.hostname} {sorted(cgroups.processes(node.cgroup))}"]
        network.disconnect(node.namespace, node.number)
        if os.path.ismount(folder / "root"):
            shell.run("umount", folder / "root")
        left += cgroups.remove(node.cgroup)
        if not left:
            image.remove(folder)
        return left

    def list(self) -> list[str]:
        """Ids of all nodes, running or not."""
        return sorted(path.parent.name for path in self.folder.glob("*/node.json"))

    def get(self, node_id: str) -> Node | None:
        """What is written about a node."""
        try:
            return Node(**json.loads((self.folder / node_id / "node.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def teardown(self, progress: Callable[[str], None]) -> list[str]:
        """All nodes and the network; returns what could not be removed."""
        left = []
        for node_id in self.list():
            progress(f"removing node {self.get(node_id).hostname}")
            left += self.destroy(node_id)
        image.remove(self.paths.cache / "base-unfinished")
        return left + network.down(self.paths)

    def _reserve(self, spec: NodeSpec) -> Node:
        taken = {node.number for node in map(self.get, self.list()) if node}
        numbers = (number for number in range(1, 240) if number not in taken)
        # A lab in another folder may run beside this one; what a dead one left is cleared away.
        node = next(node for node in (Node(spec.id, spec.hostname, number) for number in numbers) if not cgroups.processes(node.cgroup))
        network.disconnect(node.namespace, node.number)
        folder = self.folder / spec.id
        if folder.exists():
            raise LabError(f"A node {spec.id} exists already.")
        folder.mkdir(parents=True)
        (folder / "node.json").write_text(json.dumps(asdict(node)), encoding="utf-8")
        return node

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
        command = ["/bin/bash", str(Path(__file__).with_name("supervise.sh")), str(folder), node.namespace, node.hostname, *groups, "--", *options]
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
