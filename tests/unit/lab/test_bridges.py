# SPDX-License-Identifier: GPL-3.0-or-later
"""The way out of a bridge: opened once, noted before, closed to what was there."""

from __future__ import annotations

import pytest

from lab import bridges


@pytest.fixture(name="machine")
def made_up_machine(tmp_path, monkeypatch):
    """One that forwards nothing; the rules that it was given."""
    rules = []
    (tmp_path / "forwarding").write_text("0\n", encoding="utf-8")
    monkeypatch.setattr(bridges, "FORWARDING", tmp_path / "forwarding")
    monkeypatch.setattr(bridges.shell, "run", lambda *command, stdin: rules.append(stdin))
    return tmp_path, rules


def test_a_way_out_that_is_opened_twice_is_closed_to_what_was_there(machine):
    folder, rules = machine
    ledger = folder / "run/network.json"
    for dummy in range(2):
        bridges.open_way_out("own", "192.0.2", ledger)
        assert (folder / "forwarding").read_text(encoding="utf-8") == "1"
    assert (
        rules[0] == rules[1] and "    ip saddr 192.0.2.0/24 ip daddr != 192.0.2.0/24 masquerade\n  }\n}\n" in rules[0]
    )
    bridges.close_way_out("own", ledger)
    assert rules[2] == "table ip own {}\ndelete table ip own\n"
    assert (folder / "forwarding").read_text(encoding="utf-8") == "0" and not ledger.exists()
