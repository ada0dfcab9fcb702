# SPDX-License-Identifier: GPL-3.0-or-later
"""Some virtual machines and an inventory of them: made, and taken away."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from .. import bridges, inventory, shell
from ..config import REPOSITORY, Paths
from ..errors import LabError
from ..nodes import image as base
from . import image, network
from .machine import Machine
from .target import Target

Say = Callable[[str], None]
INVENTORY = REPOSITORY / "inventory" / "lab-vm"
TUN = Path("/dev/net/tun")
PATIENCE = 600
MOST = 2


def folder(paths: Paths) -> Path:
    """Of all that lives; `lab down` on nodes does not touch it."""
    return paths.root / "vm"


def up(paths: Paths, target: Target, names: list[str], values: dict, say: Say) -> None:
    """Fresh machines of these names, reachable by ssh; those of an earlier run are ended first. `values` are variables
    of all hosts.
    """
    down(paths)
    check(target, names)
    made = image.build(paths, target, say)
    home = folder(paths)
    home.mkdir(parents=True, exist_ok=True)
    keys(home)
    machines = [Machine(home / "machines" / name, number) for number, name in enumerate(names)]
    network.up(home / "network.json")
    started = time.monotonic()
    for machine in machines:
        machine.start(target, made, seed(home, machines))
    for machine in machines:
        machine.wait(PATIENCE)
    say(f"{', '.join(names)} answer after {time.monotonic() - started:.0f} s")
    write_inventory(home, machines, values)


def keys(home: Path) -> None:
    """The user's, and the one by which all machines are known."""
    for key in ("user", "host"):
        shell.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab-{key}", "-f", home / key)


def check(target: Target, names: list[str]) -> None:
    """Raises LabError for what this machine lacks."""
    if os.geteuid() != 0:
        raise LabError("Virtual machines need taps and a bridge, so this must run as root: try again with sudo.")
    missing = [tool for tool in (target.emulator[0], "qemu-img", "mke2fs", "cpio", "nft") if not shutil.which(tool)]
    if missing:
        raise LabError(f"These programs are missing: {' '.join(missing)}. `make setup-vm` installs their packages.")
    if not TUN.exists():
        raise LabError("This machine has no /dev/net/tun, without which a virtual machine has no network.")
    if bridges.in_use(network.BRIDGE):
        raise LabError(
            f"Virtual machines of a lab in another folder hang on the bridge {network.BRIDGE}: run "
            "`python -m lab.vm down` there first."
        )
    if not 1 <= len(names) <= MOST:
        raise LabError(f"{len(names)} virtual machines were asked for; without KVM up to {MOST} are of use.")


def seed(home: Path, machines: list[Machine]) -> dict[str, tuple[str, int]]:
    """Files that a machine finds: who may come in, by which key it is known, and the others' names."""
    hosts = "127.0.0.1 localhost\n" + "".join(f"{one.address} {one.name}\n" for one in machines)
    private, public = ((home / name).read_text(encoding="utf-8") for name in ("host", "host.pub"))
    return {
        "etc/hosts": (hosts, 0o644),
        "etc/ssh/ssh_host_ed25519_key": (private, 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (public, 0o644),
        "root/.ssh/authorized_keys": ((home / "user.pub").read_text(encoding="utf-8"), 0o600),
    }


def write_inventory(home: Path, machines: list[Machine], values: dict) -> None:
    """`tap` is the interface of this machine on which all bytes of the host go by."""
    hosts = {one.name: {"ansible_host": one.address, "tap": one.tap} for one in machines}
    common = connection(home, "root", [one.address for one in machines])
    INVENTORY.mkdir(parents=True, exist_ok=True)
    content = {"all": {"hosts": hosts, "vars": common | values}}
    (INVENTORY / "hosts.yml").write_text(inventory.HEAD + yaml.safe_dump(content, width=140), encoding="utf-8")


def connection(home: Path, user: str, known_as: list[str]) -> dict:
    """How Ansible reaches machines with these keys; `known_as` are their names in known_hosts, which is written."""
    key = " ".join((home / "host.pub").read_text(encoding="utf-8").split()[:2])
    known = home / "known_hosts"
    known.write_text("".join(f"{name} {key}\n" for name in known_as), encoding="utf-8")
    return {
        "ansible_user": user,
        "ansible_ssh_private_key_file": str(home / "user"),
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={known} -o StrictHostKeyChecking=yes",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_timeout": 60,
    }


def down(paths: Paths) -> None:
    """Machines, taps, bridge, keys and inventory of this folder go; images are kept."""
    home = folder(paths)
    if home.exists():
        for path in sorted((home / "machines").glob("*")):
            Machine(path, 0).stop()
        for number in range(MOST):
            network.disconnect(f"ghtap{number}")
        network.down(home / "network.json")
        shutil.rmtree(home)
    base.remove(paths.cache / "vm-unfinished")
    (INVENTORY / "hosts.yml").unlink(missing_ok=True)
    if INVENTORY.exists() and not any(INVENTORY.iterdir()):
        INVENTORY.rmdir()
