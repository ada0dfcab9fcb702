# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine of another architecture: what the kernel and the machine are told. Whole: `make molecule-aarch64`."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest
import yaml

from lab.config import Paths
from lab.errors import LabError
from lab.vm import __main__, alone, fleet, foreign, small
from lab.vm.alone import Alone

CONF = r":qemu-aarch64:M::\x7f\x45:\xff\xff:/usr/libexec/qemu-binfmt/aarch64-binfmt-P:OPF"


@pytest.fixture(name="machine")
def machine_without_a_process(tmp_path):
    """One that has a folder, and keys beside it."""
    machine = Alone(tmp_path / "machines" / "aarch64", 0, 4711)
    machine.folder.mkdir(parents=True)
    for name in ("host", "host.pub", "user", "user.pub"):
        (tmp_path / name).write_text(f"ssh-ed25519 {name} comment\n", encoding="utf-8")
    return machine


@pytest.fixture(name="kernel")
def kernel_that_lists(tmp_path, monkeypatch):
    """A folder as the kernel's: what is written to `register` is what there is."""
    (tmp_path / "register").touch()
    (tmp_path / "qemu-aarch64.conf").write_text(f"# a comment\n{CONF}\n", encoding="ascii")
    monkeypatch.setattr(foreign, "KERNEL", tmp_path)
    monkeypatch.setattr(foreign, "FORMATS", tmp_path)
    monkeypatch.setattr(foreign.platform, "machine", lambda: "x86_64")
    return tmp_path


def test_the_kernel_is_told_under_a_name_of_our_own(kernel):
    with foreign.runnable("aarch64"):
        assert (kernel / "register").read_text(encoding="ascii") == CONF.replace("qemu-aarch64", "gh200-aarch64")


def test_what_is_ours_is_taken_back_also_after_a_failure(kernel):
    with pytest.raises(OSError, match="no space"), foreign.runnable("aarch64"):
        (kernel / "gh200-aarch64").write_text("enabled", encoding="ascii")
        raise OSError("no space")
    assert (kernel / "gh200-aarch64").read_text(encoding="ascii") == "-1"


def test_what_others_told_it_is_used_and_stays(kernel):
    (kernel / "qemu-aarch64").write_text("enabled", encoding="ascii")
    with foreign.runnable("aarch64"):
        assert (kernel / "register").read_text(encoding="ascii") == ""
    assert (kernel / "qemu-aarch64").read_text(encoding="ascii") == "enabled"


def test_what_a_killed_run_left_is_used_and_then_taken_back(kernel):
    (kernel / "gh200-aarch64").write_text("enabled", encoding="ascii")
    with foreign.runnable("aarch64"):
        assert (kernel / "register").read_text(encoding="ascii") == ""
    assert (kernel / "gh200-aarch64").read_text(encoding="ascii") == "-1"


def test_its_own_architecture_needs_nothing(kernel):
    with foreign.runnable("x86_64"):
        assert (kernel / "register").read_text(encoding="ascii") == ""


@pytest.mark.parametrize(
    ("text", "said"), [(None, "`make setup-vm` installs qemu-user-static"), ("# nothing\n", "install Debian's")]
)
def test_without_the_package_is_one_sentence(tmp_path, monkeypatch, text, said):
    monkeypatch.setattr(foreign, "FORMATS", tmp_path)
    if text:
        (tmp_path / "qemu-aarch64.conf").write_text(text, encoding="ascii")
    with pytest.raises(LabError) as told:
        foreign.entry("aarch64", "own")
    assert said in str(told.value) and "\n" not in str(told.value)


def test_folders_of_this_machine_are_not_among_the_places_for_packages(monkeypatch):
    settings = {
        "index-url": "https://one.example/simple",
        "extra-index-url": "file:///opt/simple https://two.example/simple",
        "find-links": "/opt/wheels",
        "cert": "/etc/ssl/certs/ca-certificates.crt",
    }
    monkeypatch.setattr(small.host, "pip_settings", lambda: settings)
    assert small.pip_settings() == {
        "index-url": "https://one.example/simple",
        "extra-index-url": "https://two.example/simple",
        "cert": "/etc/ssl/certs/ca-certificates.crt",
    }


def test_it_takes_a_port_of_the_loopback_and_no_device(machine):
    assert machine.netdev() == "user,id=net,hostfwd=tcp:127.0.0.1:4711-:22"
    assert machine.settings() == {"address": "10.0.2.15", "gateway": "10.0.2.2"}


def test_it_answers_on_that_port(machine):
    with socket.create_server(("127.0.0.1", 0)) as server:
        greets = threading.Thread(target=lambda: server.accept()[0].sendall(b"SSH-2.0-OpenSSH"))
        greets.start()
        assert Alone(machine.folder, 0, server.getsockname()[1]).answers()
        greets.join()


def test_ports_are_free_and_differ():
    first, second = alone.free_ports(2)
    assert first != second
    for port in (first, second):
        with socket.create_server(("127.0.0.1", port)):
            pass


def test_it_is_told_its_users_key_its_names_and_to_be_patient(machine):
    files = alone.seed(machine.folder.parents[1], machine)
    assert files["etc/ssh/keys/ubuntu"] == ("ssh-ed25519 user.pub comment\n", 0o644)
    assert "root/.ssh/authorized_keys" not in files
    assert files["etc/hosts"][0].endswith("10.0.2.15 aarch64\n")
    assert files["etc/environment"] == ("SYSTEMD_BUS_TIMEOUT=300s\n", 0o644)
    assert files["etc/resolv.conf"] == ("nameserver 10.0.2.3\n", 0o644)


def test_the_inventory_has_the_port_and_a_hub_behind_the_gateway(machine, monkeypatch, tmp_path):
    monkeypatch.setattr(alone, "INVENTORY", tmp_path / "inventory")
    alone.write_inventory(tmp_path, machine, 4712, "0" * 40)
    written = yaml.safe_load((tmp_path / "inventory/hosts.yml").read_text(encoding="utf-8"))["all"]
    assert written["hosts"] == {"aarch64": {"ansible_host": "127.0.0.1", "ansible_port": 4711}}
    assert written["vars"]["ansible_user"] == "ubuntu"
    assert written["vars"]["gh200_hub_endpoint"] == "http://10.0.2.2:4712"
    assert (tmp_path / "known_hosts").read_text(encoding="utf-8") == "[127.0.0.1]:4711 ssh-ed25519 host.pub\n"


@pytest.mark.parametrize(
    ("user", "said"), [(1000, "try again with sudo"), (0, "missing: qemu-system-aarch64 qemu-img mke2fs cpio")]
)
def test_what_is_missing_is_one_sentence(user, said, monkeypatch):
    monkeypatch.setattr(alone.os, "geteuid", lambda: user)
    monkeypatch.setattr(alone.shutil, "which", lambda tool: None)
    with pytest.raises(LabError, match=said):
        alone.check()


def test_down_ends_the_machine_of_a_run_that_was_killed(monkeypatch, tmp_path):
    monkeypatch.setattr(alone, "INVENTORY", tmp_path / "inventory")
    folder = tmp_path / "vm-aarch64/machines/aarch64"
    folder.mkdir(parents=True)
    program = "import time; print(flush=True); time.sleep(600)"
    command = [sys.executable, "-c", program, "-pidfile", str(folder / "pid")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        (folder / "pid").write_text(f"{process.pid}\n", encoding="utf-8")
        alone.down(Paths(tmp_path))
        assert process.wait() == -15
    assert not (tmp_path / "vm-aarch64").exists()
    alone.down(Paths(tmp_path))


@pytest.mark.parametrize(
    ("words", "ended"), [(["down"], ["nfs", "aarch64"]), (["down", "nfs"], ["nfs"]), (["down", "aarch64"], ["aarch64"])]
)
def test_down_ends_a_kind_or_all(words, ended, monkeypatch, tmp_path):
    seen = []
    monkeypatch.setattr(__main__, "Paths", lambda: Paths(tmp_path))
    monkeypatch.setattr(fleet, "down", lambda paths: seen.append("nfs"))
    monkeypatch.setattr(alone, "down", lambda paths: seen.append("aarch64"))
    assert __main__.main(words) == 0
    assert seen == ended
