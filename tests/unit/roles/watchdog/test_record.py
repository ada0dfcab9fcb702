# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown: totals over all starts, rates, events that outlive the watchdog, and news only once."""

from __future__ import annotations

import json

import pytest

GIB = 1 << 30


def look(now, generated=None, own=0, reports=None, **more):
    """One look with this many tokens generated."""
    metrics = (
        {"generated": generated, "prompt": 2 * generated, "running": 1, "waiting": 0} if generated is not None else None
    )
    return {
        "now": now,
        "listening": now - 1,
        "metrics": metrics,
        "own": {"generated": own, "prompt": 0},
        "reports": reports or {},
        "kills": {},
        "ray": {"nodes": {"10.0.0.1": 1}, "free": 0},
        **more,
    }


@pytest.fixture(name="make")
def maker(load, tmp_path, settings):
    """make(): a judge and a record, with the files of those before."""

    def make():
        files = {name: str(tmp_path / f"{name.partition('_')[0]}.json") for name in ("state_file", "history_file")}
        told = settings | files
        return load("watchdog/judge.py").Judge(told, 0.0), load("watchdog/record.py").Record(told)

    return make


def test_tokens_are_counted_over_all_starts_of_the_engine_and_of_the_watchdog(make):
    judge, record = make()
    record.state(judge, look(0, 100), {})
    assert record.state(judge, look(2, 150), {})["tokens"] == 50
    assert record.state(judge, look(4), {})["tokens"] == 50
    known = record.state(judge, look(6, 30), {})
    assert (known["tokens"], known["prompt_tokens"]) == (80, 160)
    record.keep(8)
    judge, record = make()
    assert record.state(judge, look(9, 40), {})["tokens"] == 90


def test_the_watchdogs_own_questions_are_not_counted(make):
    judge, record = make()
    record.state(judge, look(0, 0), {})
    known = record.state(judge, look(10, 216, own=16), {})
    assert (known["tokens"], known["tokens_per_second"]) == (200, 20.0)


def test_an_event_outlives_the_watchdog_and_keeps_its_time(make, tmp_path):
    judge, record = make()
    judge.note_event(0.0, "r1-01: its rank ended.")
    first = record.state(judge, look(2, 1), {})["restarts"]
    judge.close_event(33.0)
    (second,) = record.state(judge, look(34, 1), {})["restarts"]
    assert first == [{**second, "seconds": None}]
    assert (second["reason"], second["seconds"]) == ("r1-01: its rank ended.", 33.0)
    judge, record = make()
    assert record.state(judge, look(0, 1), {})["restarts"] == [second]
    judge.note_event(5.0, "The engine ended.")
    assert [event["reason"] for event in record.state(judge, look(6, 1), {})["restarts"]] == [
        "r1-01: its rank ended.",
        "The engine ended.",
    ]
    assert json.loads((tmp_path / "state.json").read_text())["restarts"][0] == second


def test_news_is_said_once(make, capsys):
    judge, record = make()
    for now in range(0, 20, 2):
        record.state(judge, look(now, now), {})
    judge.phase, judge.reason = "healing", "r1-01: its rank ended."
    judge.culprits = [{"node": "r1-01", "what": "its rank ended", "do": "look"}]
    for now in range(20, 40, 2):
        record.state(judge, look(now, now), {})
    assert capsys.readouterr().out.splitlines() == [
        "starting",
        "healing: r1-01: its rank ended.",
        "  r1-01: its rank ended; look",
    ]


def test_a_disk_that_is_full_does_not_end_it(make, capsys, tmp_path):
    judge, record = make()
    (tmp_path / "state.json").mkdir()
    assert record.state(judge, look(0, 1), {})["phase"] == "starting"
    assert "could not be written" in capsys.readouterr().out


def report(**more):
    """Of a node where all is well."""
    return {
        "at": 100.0,
        "start": "1",
        "uptime": 500.0,
        "ranks": [{"pid": 7, "state": "S"}],
        "memory": {"total": 400 * GIB, "free": 300 * GIB, "kills": 0},
        "disks": {"/": {"size": 400 * GIB, "free": 100 * GIB}, "/tmp": {"size": GIB, "free": GIB // 2}},
        "gpus": [{"used": 0, "total": 96 * GIB}],
        **more,
    }


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, []),
        ({"disks": {"/": {"size": 400 * GIB, "free": GIB // 2}}}, ["/ is full"]),
        ({"disks": {"/tmp": {"size": GIB, "free": GIB // 50}}}, ["/tmp is full"]),
        ({"memory": {"total": 400 * GIB, "free": 7 * GIB, "kills": 0}}, ["memory is short"]),
        ({"gpus": None}, ["nvidia-smi has not answered"]),
        ({"gpus": None, "uptime": 20.0}, []),
    ],
)
def test_what_does_no_harm_yet_is_a_warning_with_the_node(make, told, words):
    judge, record = make()
    known = record.state(judge, look(101, 1, reports={"r1-01": report(**told)}), {})
    assert [warning["what"].startswith(word) for warning, word in zip(known["warnings"], words, strict=True)] == [
        True
    ] * len(words)
    assert all(warning["node"] == "r1-01" and warning["do"] for warning in known["warnings"])


def test_a_kill_by_the_kernel_is_named(make):
    judge, record = make()
    known = record.state(judge, look(101, 1, reports={"r1-01": report()}, kills={"r1-01": 2}), {})
    assert "killed 2 processes for want of memory" in known["warnings"][0]["what"]
