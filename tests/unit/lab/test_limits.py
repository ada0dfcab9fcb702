# SPDX-License-Identifier: GPL-3.0-or-later
"""Room for many nodes, and as it was afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import limits
from lab.errors import LabError


class ReadOnly(type(Path())):
    """Of a container."""

    def write_text(self, *arguments, **options):
        raise OSError(30, "Read-only file system")


@pytest.fixture(name="kernel")
def made_up_kernel(tmp_path, monkeypatch):
    path = tmp_path / "max_user_instances"
    path.write_text("128\n", encoding="ascii")
    monkeypatch.setattr(limits, "INSTANCES", path)
    return path


def test_it_grows_with_the_nodes_and_is_given_back(kernel, tmp_path):
    ledger = tmp_path / "run/limits"
    limits.widen(4, ledger)
    assert kernel.read_text(encoding="ascii") == "128\n" and not ledger.exists()
    for nodes in (64, 16):
        limits.widen(nodes, ledger)
    assert int(kernel.read_text(encoding="ascii")) == 16 + 8 * 64
    limits.restore(ledger)
    assert kernel.read_text(encoding="ascii") == "128\n" and not ledger.exists()


def test_a_machine_that_refuses_is_told(kernel, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "INSTANCES", ReadOnly(kernel))
    with pytest.raises(LabError, match=r"64 nodes need 528 in .*, which is 128 and cannot be set here"):
        limits.widen(64, tmp_path / "limits")


def test_what_is_enough_stays(kernel, tmp_path):
    kernel.write_text("8192\n", encoding="ascii")
    limits.widen(64, tmp_path / "limits")
    limits.restore(tmp_path / "limits")
    assert kernel.read_text(encoding="ascii") == "8192\n"
