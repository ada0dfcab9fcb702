# SPDX-License-Identifier: GPL-3.0-or-later
"""Time that is left, from what earlier runs took."""

from __future__ import annotations

import json
import multiprocessing

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.jobs import history


def record(seconds, kind="k1", invocation="i", **marks):
    return {"kind": kind, "seconds": seconds, "invocation": invocation, "marks": marks}


@pytest.mark.parametrize(
    ("records", "at", "found"),
    [
        ([], {"seconds": 10}, None),
        ([record(100)], {"seconds": 10}, (90, 100)),
        ([record(100)], {"seconds": 120}, (0, 100)),
        ([record(100), record(300), record(110)], {"seconds": 10}, (100, 110)),
        ([record(900)] * 9 + [record(100)] * 5, {"seconds": 10}, (90, 100)),
        ([record(100), record(900, kind="k2")], {"seconds": 10}, (90, 100)),
        ([record(900, kind="k2")], {"seconds": 10}, (890, 900)),
        # The step that it is in took 60 s to the end, and it began 20 s ago.
        ([record(100, compile=40)], {"seconds": 30, "what": "compile", "since": 10}, (40, 100)),
        ([record(100, compile=40)], {"seconds": 30, "what": "compile", "since": None}, (70, 100)),
        ([record(100, compile=40)], {"seconds": 30, "what": "other", "since": 10}, (70, 100)),
    ],
)
def test_the_estimate(records, at, found):
    assert history.estimate(records, "k1", **at) == found


def test_marks_are_of_steps_whose_begin_was_seen():
    whole, joined = history.Marks(True), history.Marks(False)
    assert [whole.see("a", 8), whole.see("a", 16), whole.see("b", 24), whole.see("b", 32)] == [0, 0, 24, 24]
    assert [joined.see("a", 8), joined.see("b", 24)] == [None, 24]
    assert whole.known() == {"a": 0, "b": 24} and joined.known() == {"b": 24}


def test_a_run_is_kept_once_and_old_ones_go(tmp_path):
    kept = history.History(str(tmp_path))
    for number in range(history.KEPT + 5):
        kept.keep("wheel", record(number, invocation=str(number)))
        kept.keep("wheel", record(number, invocation=str(number)))
    assert [one["seconds"] for one in kept.records("wheel")] == list(range(5, history.KEPT + 5))
    assert kept.records("other") == []


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '[{"kind": "k1"}]', '[{"kind": "k", "seconds": "9", "marks": {}, "invocation": ""}]']
)
def test_a_damaged_file_tells_nothing_and_is_replaced(tmp_path, text):
    kept = history.History(str(tmp_path))
    kept.keep("wheel", record(1))
    (tmp_path / ".jobs/durations/wheel.json").write_text(text, encoding="utf-8")
    assert kept.records("wheel") == []
    kept.keep("wheel", record(2))
    assert [one["seconds"] for one in kept.records("wheel")] == [2]


def test_the_records_of_all_nodes_are_kept_though_they_come_at_once(tmp_path):
    folder = str(tmp_path)
    with multiprocessing.get_context("fork").Pool(8) as pool:
        pool.starmap(keep, [(folder, number) for number in range(16)])
    with open(tmp_path / ".jobs/durations/wheel.json", encoding="utf-8") as stream:
        assert sorted(one["seconds"] for one in json.load(stream)) == list(range(16))


def keep(folder, number):
    """One node's process."""
    history.History(folder).keep("wheel", record(number, invocation=str(number)))
