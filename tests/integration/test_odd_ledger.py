# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever stands in a local file: the fleet is ended, receipts are made, and the line is named and kept."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

LINES = {
    "keys that are missing": b'{"time":1.0,"event":"intend","node":"r1-07"}',
    "an event of another version": b'{"time":1.0,"event":"paused","id":"i1"}',
    "a time that is none": b'{"time":"yesterday","event":"gone","id":"i1"}',
    "no number": b'{"time":NaN,"event":"intend","node":"r1-07","run":"1-a"}',
    "an id that is none": b'{"time":1.0,"event":"terminated","id":["i1"]}',
    "a run that leads elsewhere": b'{"time":1.0,"event":"intend","node":"r1-07","run":"../../../victim"}',
    "no price": b'{"time":1.0,"event":"adopted","node":"r1-07","run":"","id":"i1","price_cents_per_hour":[]}',
    "a list": b"[1, 2]",
    "half a line": b'{"event": "laun',
    "a binary one": b"\x00\xff\xfe{}",
    "a deep one": b"[" * 100000,
    "a line of a hand": b"# r1-07 was bad",
}
FUTURE = b'{"time":4000000000,"event":"intend","node":"r1-07","run":"1-a"}'


@pytest.fixture(name="fleet")
def fleet_of_two(act, cloud, tmp_path):
    """fleet(action="lambda_fleet", **options): one task; at first there are two nodes."""
    told = {
        "region": "us-east-3",
        "ssh_key_name": "laptop",
        "wait_for_ssh": False,
        "poll_interval": 0.01,
        "settle_time": 0.2,
        "deadline": 10,
    }

    def fleet(action="lambda_fleet", check=False, **options):
        more = told if action == "lambda_fleet" else {}
        return act(
            action,
            check=check,
            **(cloud.options | {"name": "r1", "state_dir": str(tmp_path / "state")} | more | options),
        )

    assert fleet(size=2)["changed"]
    return fleet


@pytest.fixture(name="ledger")
def file_of_the_ledger(tmp_path):
    """Where it is."""
    return tmp_path / "state/r1/ledger.jsonl"


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_fleet_is_ended_and_the_odd_line_is_named_and_kept(fleet, cloud, ledger, line, capfd):
    with open(ledger, "ab") as stream:
        stream.write(line + b"\n")
    ended = fleet(state="absent")
    assert len(ended.get("terminated", [])) == 2 and cloud.cloud.paid_now() == [], ended
    said = capfd.readouterr().out
    assert (
        f"{ledger} has what this version cannot have written: line " in said
        and ascii(line.decode(errors="replace"))[:20] in said
    )
    assert ledger.with_name("ledger.odd").read_bytes() == line + b"\n"
    assert line not in ledger.read_bytes().split(b"\n")
    made = fleet("lambda_receipt")
    assert made["receipt"]["total"]["instances"] == 2 and made["receipt"]["unread_lines"] == 1
    assert any("1 lines of the ledger could not be read" in text for text in made["lines"])
    assert "1 lines of the ledger" in Path(made["page"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_receipt_and_a_launch_bear_it_too(fleet, cloud, ledger, line):
    with open(ledger, "ab") as stream:
        stream.write(line)  # without an end, as after a crash
    assert fleet("lambda_receipt", fail_if_billing=False)["receipt"]["total"]["instances"] == 2
    with open(ledger, "ab") as stream:
        stream.write(line + b"\n")
    grown = fleet(size=3)
    assert grown.get("launched") == ["r1-02"] and len(cloud.cloud.paid_now()) == 3, grown
    assert ledger.with_name("ledger.odd").read_bytes() == (line + b"\n") * 2


def test_an_intent_from_the_future_is_looked_for_from_now_on(fleet, cloud, ledger):
    with open(ledger, "ab") as stream:
        stream.write(FUTURE + b"\n")
    assert len(fleet(state="absent").get("terminated", [])) == 2 and cloud.cloud.paid_now() == []


def test_check_mode_moves_nothing(fleet, ledger):
    with open(ledger, "ab") as stream:
        stream.write(b"odd\n")
    before = ledger.read_bytes()
    assert len(fleet(state="absent", check=True)["terminated"]) == 2
    assert ledger.read_bytes() == before and not ledger.with_name("ledger.odd").exists()


@pytest.mark.parametrize("kind", ["full", "folder", "pipe"])
def test_a_ledger_that_is_no_file_does_not_keep_the_fleet_alive(fleet, cloud, ledger, kind, capfd):
    ledger.unlink()
    {"full": lambda: ledger.symlink_to("/dev/full"), "folder": ledger.mkdir, "pipe": lambda: os.mkfifo(ledger)}[kind]()
    ended = fleet(state="absent")
    assert len(ended.get("terminated", [])) == 2 and cloud.cloud.paid_now() == [], ended
    assert f"{ledger}: " in capfd.readouterr().out


@pytest.mark.parametrize("action", ["lambda_fleet", "lambda_reap"])
def test_a_state_folder_that_is_a_file_does_not_keep_the_fleet_alive(act, cloud, tmp_path, action):
    told = cloud.options | {
        "name": "r1",
        "size": 1,
        "region": "us-east-3",
        "ssh_key_name": "laptop",
        "wait_for_ssh": False,
        "max_life": 0.001,
    }
    assert act("lambda_fleet", state_dir=str(tmp_path / "state"), **told)["changed"]
    (tmp_path / "file").write_text("", encoding="utf-8")
    more = {"state": "absent", "settle_time": 0.2} if action == "lambda_fleet" else {}
    ended = act(
        action, **cloud.options, name="r1", state_dir=str(tmp_path / "file"), poll_interval=0.01, deadline=10, **more
    )
    assert len(ended.get("terminated", [])) == 1 and cloud.cloud.paid_now() == [], ended


def test_a_crash_while_a_line_is_set_aside_loses_nothing(fleet, ledger, monkeypatch):
    with open(ledger, "ab") as stream:
        stream.write(b"odd\n")
    before = ledger.read_bytes()
    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", lambda *paths: (dummy for dummy in ()).throw(OSError(5, "Input/output error")))
        fleet(size=2)
    assert ledger.read_bytes().startswith(before)
    fleet(size=2)
    assert all(json.loads(line) for line in ledger.read_bytes().splitlines())
