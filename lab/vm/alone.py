# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine of another architecture, and a model hub for it.

Its network is QEMU's own: it takes no address of this machine and needs no tap, so that it runs beside a lab. A port of
the loopback leads to it, and it reaches this machine's loopback by the address of its gateway.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from .. import engine, inventory, model
from ..config import REPOSITORY, Paths
from ..errors import LabError
from ..processes import Daemon
from ..services import answers, stamp
from . import fleet, image
from .fleet import Say
from .machine import Machine
from .small import AARCH64, USER

INVENTORY = REPOSITORY / "inventory" / "lab-aarch64"
# As QEMU gives them.
ADDRESS, GATEWAY, NAMES = "10.0.2.15", "10.0.2.2", "10.0.2.3"
PATIENCE = 300


@dataclass(frozen=True)
class Alone(Machine):
    """`port` of the loopback leads to its sshd."""

    port: int = 0

    @property
    def address(self) -> str:
        """As it sees itself; every such machine has this one."""
        return ADDRESS

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where this machine reaches its sshd."""
        return "127.0.0.1", self.port

    def settings(self) -> dict[str, str]:
        """What its first root is told of the network."""
        return {"address": ADDRESS, "gateway": GATEWAY}

    def attach(self) -> None:
        """Nothing is needed."""

    def detach(self) -> None:
        """Nothing is left."""

    def netdev(self) -> str:
        """Its network, in QEMU's words."""
        return f"user,id=net,hostfwd=tcp:127.0.0.1:{self.port}-:22"


def folder(paths: Paths) -> Path:
    """Of all that lives, apart from that of the pair."""
    return paths.root / "vm-aarch64"


def up(paths: Paths, say: Say) -> None:
    """A fresh machine `aarch64`, a hub with the lab's model, and inventory/lab-aarch64; what an earlier run left
    is ended first.
    """
    down(paths)
    check()
    made = image.build(paths, AARCH64, say)
    revision = engine.prepare(paths, say)["model_revision"]
    home = folder(paths)
    home.mkdir(parents=True)
    fleet.keys(home)
    ssh_port, hub_port = free_ports(2)
    machine = Alone(home / "machines" / "aarch64", 0, ssh_port)
    started = time.monotonic()
    machine.start(AARCH64, made, seed(home, machine))
    hub(paths, hub_port).ensure(lambda: answers(f"http://127.0.0.1:{hub_port}/"))
    machine.wait(PATIENCE)
    say(f"{machine.name} answers on 127.0.0.1:{ssh_port} after {time.monotonic() - started:.0f} s")
    write_inventory(home, machine, hub_port, revision)


def check() -> None:
    """Raises LabError for what this machine lacks."""
    if os.geteuid() != 0:
        raise LabError("The image of a virtual machine is made below a root of its own: try again with sudo.")
    needed = [AARCH64.emulator[0], "qemu-img", "mke2fs", "cpio", "debootstrap"]
    missing = [tool for tool in needed if not shutil.which(tool)]
    if missing:
        raise LabError(f"These programs are missing: {' '.join(missing)}. `make setup-vm` installs their packages.")


def free_ports(count: int) -> list[int]:
    """Ports of the loopback that nobody listens on."""
    held = [socket.socket() for dummy in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


def hub(paths: Paths, port: int) -> Daemon:
    """Serves what the lab's hub serves, on the loopback only; its record and log lie beside the machine."""
    arguments = ["lab.hub", "--bind", "127.0.0.1", "--port", str(port), "--root", str(paths.hub)]
    return Daemon(Paths(folder(paths)), "hub", arguments, stamp(arguments, [REPOSITORY / "lab" / "hub"]))


def seed(home: Path, machine: Machine) -> dict[str, tuple[str, int]]:
    """What fleet.seed has, for a user who is not root, and names by QEMU's own server."""
    files = fleet.seed(home, [machine])
    files[f"etc/ssh/keys/{USER}"] = (files.pop("root/.ssh/authorized_keys")[0], 0o644)
    return files | {
        "etc/resolv.conf": (f"nameserver {NAMES}\n", 0o644),
        # systemd may think for longer than the 25 s after which its callers give up.
        "etc/environment": ("SYSTEMD_BUS_TIMEOUT=300s\n", 0o644),
    }


def write_inventory(home: Path, machine: Machine, hub_port: int, revision: str) -> None:
    """One host, which is the head, and where the model is."""
    host, port = machine.endpoint
    values = {
        "gh200_hub_endpoint": f"http://{GATEWAY}:{hub_port}",
        "gh200_models": {"tiny": {"repository": model.REPOSITORY, "revision": revision}},
    }
    common = fleet.connection(home, USER, [f"[{host}]:{port}"])
    hosts = {machine.name: {"ansible_host": host, "ansible_port": port}}
    INVENTORY.mkdir(parents=True, exist_ok=True)
    content = {"all": {"hosts": hosts, "vars": common | values}}
    (INVENTORY / "hosts.yml").write_text(inventory.HEAD + yaml.safe_dump(content, width=140), encoding="utf-8")


def down(paths: Paths) -> None:
    """Machine, hub, keys and inventory go; images are kept."""
    home = folder(paths)
    if home.exists():
        Alone(home / "machines" / "aarch64", 0).stop()
        hub(paths, 0).stop()
        shutil.rmtree(home)
    (INVENTORY / "hosts.yml").unlink(missing_ok=True)
    if INVENTORY.exists() and not any(INVENTORY.iterdir()):
        INVENTORY.rmdir()
