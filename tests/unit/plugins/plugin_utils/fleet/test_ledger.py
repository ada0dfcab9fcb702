# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger keeps what was written, also around a line that a crash cut short."""

from __future__ import annotations

import os

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.ledger import Ledger


def events(folder):
    """What the next process reads there, without the times."""
    return [(line["event"], line.get("node")) for line in Ledger(str(folder)).read()]


def test_lines_come_back_in_their_order(tmp_path):
    for event in ("intend", "launched"):
        Ledger(str(tmp_path / "r1")).write(event, node="r1-00", run="1-a", id="i1")
    ledger = Ledger(str(tmp_path / "r1"))
    assert events(tmp_path / "r1") == [("intend", "r1-00"), ("launched", "r1-00")]
    assert os.stat(ledger.path).st_mode & 0o777 == 0o600


def test_no_ledger_is_an_empty_one(tmp_path):
    assert Ledger(str(tmp_path / "none")).read() == [] and not (tmp_path / "none").exists()


def test_a_line_that_was_cut_short_is_left_out(tmp_path):
    ledger = Ledger(str(tmp_path))
    ledger.write("intend", node="r1-00", run="1-0")
    with open(ledger.path, "a", encoding="utf-8") as stream:
        stream.write('{"event": "laun')
    assert events(tmp_path) == [("intend", "r1-00")]


def test_what_is_written_after_a_line_that_was_cut_short_is_not_lost(tmp_path):
    ledger = Ledger(str(tmp_path))
    ledger.write("intend", node="r1-00", run="1-0")
    with open(ledger.path, "a", encoding="utf-8") as stream:
        stream.write('{"event": "laun')
    Ledger(str(tmp_path)).write("intend", node="r1-01", run="1-1")
    assert events(tmp_path) == [("intend", "r1-00"), ("intend", "r1-01")]
