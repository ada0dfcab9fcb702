# SPDX-License-Identifier: GPL-3.0-or-later
"""What is missing is told in one sentence, before anything is made."""

from __future__ import annotations

import socket
from types import SimpleNamespace

import pytest

from lab import preflight
from lab.config import NODE_COUNTS
from lab.errors import LabError

GIB = 1024**3


@pytest.fixture(name="machine")
def machine_of_a_test(monkeypatch):
    """machine(...): this machine seems to have that; by default it is fit."""

    def machine(user=0, tools=tuple(preflight.TOOLS), disk=100, filesystem="ext4", memory=64):
        monkeypatch.setattr(preflight.os, "geteuid", lambda: user)
        monkeypatch.setattr(preflight.shutil, "which", lambda tool: f"/usr/bin/{tool}" if tool in tools else None)
        monkeypatch.setattr(preflight.shutil, "disk_usage", lambda path: SimpleNamespace(free=disk * GIB))
        monkeypatch.setattr(preflight, "_filesystem", lambda path: filesystem)
        monkeypatch.setattr(
            preflight.os, "sysconf", lambda name: memory * GIB // 4096 if name == "SC_PHYS_PAGES" else 4096
        )

    return machine


@pytest.mark.parametrize("nodes", NODE_COUNTS)
def test_a_fit_machine_passes(machine, tmp_path, nodes):
    machine(memory=preflight.MEMORY_GIB[nodes])
    preflight.check(tmp_path / "new", nodes)
    assert (tmp_path / "new").is_dir()


@pytest.mark.parametrize(
    ("lacking", "words"),
    [
        ({"user": 1000}, "must run as root: try again with sudo"),
        ({"tools": ("ip", "curl", "debootstrap")}, "missing: nftables openssh-client systemd-container. `make setup`"),
        ({"disk": 14}, "needs 15 GiB on the disk of .*, and 14 GiB are free"),
        ({"filesystem": "overlay"}, "is on overlay, .*set LAB_ROOT"),
        ({"filesystem": "tmpfs"}, "is on tmpfs"),
        ({"memory": 6}, "4 nodes need 7 GiB of memory and this machine has 6: choose fewer"),
    ],
)
def test_what_is_missing_is_told_with_what_to_do(machine, tmp_path, lacking, words):
    machine(**lacking)
    with pytest.raises(LabError, match=words):
        preflight.check(tmp_path, 4)


def test_every_shape_has_its_need_of_memory():
    assert tuple(preflight.MEMORY_GIB) == NODE_COUNTS


def test_a_port_in_use_is_told_with_the_variable_that_changes_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(LabError, match=rf"Port {port} on 127\.0\.0\.1 is in use .*set LAB_API_PORT"):
            preflight.require_free("127.0.0.1", port, "LAB_API_PORT")
    preflight.require_free("127.0.0.1", port, "LAB_API_PORT")


def test_the_filesystem_is_that_of_the_nearest_mount(tmp_path):
    assert preflight._filesystem(preflight.Path("/proc/self")) == "proc"
    assert preflight._filesystem(tmp_path) not in ("", "proc")


def test_light_nodes_need_little_and_may_be_any_number(machine, tmp_path):
    machine(memory=6)
    preflight.check(tmp_path, 64, serves=False)
    machine(memory=5)
    with pytest.raises(LabError, match="64 nodes need 6 GiB of memory and this machine has 5"):
        preflight.check(tmp_path, 64, serves=False)
