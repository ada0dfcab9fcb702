# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: whose process is whose, what each is told, what is refused. Whole: `make molecule-nfs`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml

from lab import bridges
from lab.errors import LabError
from lab.nodes import image as base
from lab.vm import fleet, image, initrd, network
from lab.vm.machine import Machine
from lab.vm.target import NFS


@pytest.fixture(name="devices", autouse=True)
def no_devices(tmp_path, monkeypatch):
    """Interfaces are folders, and those that are removed are gone: a lab that runs here has the same names."""
    devices = tmp_path / "devices"
    devices.mkdir()
    monkeypatch.setattr(bridges, "DEVICES", devices)
    monkeypatch.setattr(bridges, "remove", lambda name: shutil.rmtree(devices / name, ignore_errors=True))
    monkeypatch.setattr(bridges, "FORWARDING", tmp_path / "forwarding")
    monkeypatch.setattr(bridges.shell, "run", lambda *command, **options: "")
    return devices


@pytest.fixture(name="machine")
def machine_without_a_process(tmp_path):
    """One that has a folder."""
    machine = Machine(tmp_path / "machines" / "client", 1)
    machine.folder.mkdir(parents=True)
    return machine


@pytest.fixture(name="process")
def process_with_the_arguments_of_qemu(machine):
    """It sleeps, and its pid file is written."""
    program = "import time; print(flush=True); time.sleep(600)"
    command = [sys.executable, "-c", program, "-pidfile", str(machine.folder / "pid")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        # Before that its arguments may not be there yet.
        process.stdout.readline()
        (machine.folder / "pid").write_text(f"{process.pid}\n", encoding="utf-8")
        yield process
        process.kill()


def test_a_machine_knows_its_process_and_ends_it(machine, process):
    assert machine.pid() == process.pid
    machine.stop()
    assert process.wait() == -15
    assert machine.pid() is None and not machine.folder.exists()


def test_a_pid_that_another_process_has_now_is_left_alone(machine, process):
    other = Machine(machine.folder.parent / "server", 0)
    other.folder.mkdir()
    (other.folder / "pid").write_text(str(process.pid), encoding="utf-8")
    assert other.pid() is None
    other.stop()
    assert process.poll() is None


@pytest.mark.parametrize(("carrier", "stays"), [("1\n", True), ("0\n", False)])
def test_a_tap_goes_with_its_machine_and_not_while_another_has_it_open(machine, devices, carrier, stays):
    (devices / machine.tap).mkdir()
    (devices / machine.tap / "carrier").write_text(carrier, encoding="utf-8")
    machine.stop()
    assert (devices / machine.tap).exists() is stays


@pytest.mark.parametrize("used", [True, False])
def test_the_bridge_goes_with_the_last_machine_that_hangs_on_it(devices, tmp_path, used):
    (devices / network.BRIDGE / "brif").mkdir(parents=True)
    if used:
        (devices / network.BRIDGE / "brif/ghtap1").touch()
    (tmp_path / "forwarding").write_text("1", encoding="utf-8")
    (tmp_path / "network.json").write_text('{"ip_forward": "0"}', encoding="utf-8")
    network.down(tmp_path / "network.json")
    assert (devices / network.BRIDGE).exists() is used and not (tmp_path / "network.json").exists()
    assert (tmp_path / "forwarding").read_text(encoding="utf-8") == ("1" if used else "0")


@pytest.mark.parametrize("text", ["", "x", "999999999"])
def test_a_pid_file_without_a_process_is_no_machine(machine, text):
    (machine.folder / "pid").write_text(text, encoding="utf-8")
    assert machine.pid() is None
    machine.stop()
    assert not machine.folder.exists()


def test_one_that_does_not_answer_is_told_with_its_console(machine, monkeypatch):
    monkeypatch.setattr(Machine, "answers", lambda self: False)
    with pytest.raises(LabError, match=r"client did not answer on 10\.77\.2\.11:22 within 0 s; its process has ended"):
        machine.wait(0)


def test_each_is_told_the_others_and_none_but_the_machines_key_is_secret(machine):
    home = machine.folder.parents[1]
    for name in ("host", "host.pub", "user", "user.pub"):
        (home / name).write_text(f"{name} key\n", encoding="utf-8")
    files = fleet.seed(home, [Machine(machine.folder.parent / "server", 0), machine])
    assert files["etc/hosts"][0].endswith("10.77.2.10 server\n10.77.2.11 client\n")
    assert files["root/.ssh/authorized_keys"] == ("user.pub key\n", 0o600)
    assert files["etc/ssh/ssh_host_ed25519_key"] == ("host key\n", 0o600)
    assert "user key\n" not in [text for text, mode in files.values()]


def test_the_inventory_has_strict_host_keys_and_the_tap_of_each(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(fleet, "INVENTORY", tmp_path / "inventory")
    home = machine.folder.parents[1]
    (home / "host.pub").write_text("ssh-ed25519 AAAA lab-host\n", encoding="utf-8")
    fleet.write_inventory(home, [machine], {"own": 1})
    written = yaml.safe_load((tmp_path / "inventory/hosts.yml").read_text(encoding="utf-8"))["all"]
    assert written["hosts"] == {"client": {"ansible_host": "10.77.2.11", "tap": "ghtap1"}}
    assert "StrictHostKeyChecking=yes" in written["vars"]["ansible_ssh_common_args"] and written["vars"]["own"] == 1
    assert (home / "known_hosts").read_text(encoding="utf-8") == "10.77.2.11 ssh-ed25519 AAAA\n"


@pytest.mark.parametrize(
    ("names", "user", "tools", "said"),
    [
        (["a"], 1000, True, "must run as root"),
        (["a"], 0, False, "These programs are missing: qemu-system-x86_64 qemu-img mke2fs cpio nft. `make setup-vm`"),
        (["a", "b", "c"], 0, True, "3 virtual machines were asked for; without KVM up to 2"),
        ([], 0, True, "0 virtual machines"),
    ],
)
def test_what_is_missing_is_one_sentence(names, user, tools, said, monkeypatch, tmp_path):
    (tmp_path / "tun").touch()
    monkeypatch.setattr(fleet, "TUN", tmp_path / "tun")
    monkeypatch.setattr(fleet.os, "geteuid", lambda: user)
    monkeypatch.setattr(fleet.shutil, "which", lambda tool: tool if tools else None)
    with pytest.raises(LabError) as told:
        fleet.check(NFS, names)
    assert said in str(told.value)


def test_machines_of_another_lab_are_not_disturbed(devices, monkeypatch, tmp_path):
    (tmp_path / "tun").touch()
    (devices / network.BRIDGE / "brif").mkdir(parents=True)
    (devices / network.BRIDGE / "brif/ghtap0").touch()
    monkeypatch.setattr(fleet, "TUN", tmp_path / "tun")
    monkeypatch.setattr(fleet.os, "geteuid", lambda: 0)
    monkeypatch.setattr(fleet.shutil, "which", lambda tool: tool)
    with pytest.raises(LabError, match=r"another folder .* `python -m lab\.vm down` there"):
        fleet.check(NFS, ["client"])


def test_the_recipe_changes_with_the_base_and_with_what_goes_in(tmp_path):
    recipes = {
        image.recipe(tmp_path / "base-1", NFS),
        image.recipe(tmp_path / "base-2", NFS),
        image.recipe(tmp_path / "base-1", replace(NFS, packages=("other",))),
    }
    assert len(recipes) == 3
    assert image.recipe(tmp_path / "base-1", NFS) == image.recipe(tmp_path / "base-1", NFS)


def test_modules_come_after_those_that_they_need_and_each_once(monkeypatch):
    shown = {
        "virtio_pci": "insmod /lib/modules/6/virtio_ring.ko \ninsmod /lib/modules/6/virtio.ko \n",
        "virtio_blk": "insmod /lib/modules/6/virtio_ring.ko \ninsmod /lib/modules/6/virtio_blk.ko \n",
        "virtio_net": "builtin virtio_net\n",
        "ext4": "builtin ext4\n",
    }
    monkeypatch.setattr(initrd.shell, "run", lambda *argv: shown[argv[-1]])
    names = [path.rpartition("/")[2] for path in initrd.ordered(base.Path("/root"), "6")]
    assert names == ["virtio_ring.ko", "virtio.ko", "virtio_blk.ko"]
