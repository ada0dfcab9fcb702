# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of the network: bridges go with the last node that hangs on them, whoever's it is."""

from __future__ import annotations

import pytest

from lab import bridges
from lab.config import Paths
from lab.nodes import network


@pytest.fixture(name="machine")
def made_up_machine(tmp_path, monkeypatch):
    """Bridges without nodes, written down; the commands that were given."""
    commands = []
    for bridge in network.BRIDGES:
        (tmp_path / "devices" / bridge / "brif").mkdir(parents=True)
    (tmp_path / "forwarding").write_text("1", encoding="utf-8")
    (tmp_path / "lab/run").mkdir(parents=True)
    (tmp_path / "lab/run/network.json").write_text('{"ip_forward": "0"}', encoding="utf-8")
    monkeypatch.setattr(bridges, "DEVICES", tmp_path / "devices")
    monkeypatch.setattr(bridges, "FORWARDING", tmp_path / "forwarding")
    monkeypatch.setattr(bridges.shell, "run", lambda *command, **options: commands.append(command))
    return tmp_path, commands


def test_bridges_go_when_nobody_hangs_on_them(machine):
    folder, commands = machine
    assert network.down(Paths(folder / "lab")) == ["bridge gh200pub", "bridge gh200prv"]  # the commands only pretend
    assert [command[-1] for command in commands] == ["gh200pub", "gh200prv", "-"]
    assert (folder / "forwarding").read_text(encoding="utf-8") == "0"


def test_a_lab_in_another_folder_keeps_them(machine):
    folder, commands = machine
    (folder / "devices/gh200pub/brif/gheth0-7").touch()
    assert network.down(Paths(folder / "lab")) == []
    assert commands == [] and (folder / "forwarding").read_text(encoding="utf-8") == "1"
    assert not (folder / "lab/run/network.json").exists()
