# SPDX-License-Identifier: GPL-3.0-or-later
"""Dollars and minutes until the first token, by hand and by the program."""

from __future__ import annotations

import json

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import growth_notes
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.growth import (
    Question,
    Times,
    build_sentence,
    choose,
    sentences,
    took,
    ways,
)

ON_SHARE = "filesystem"


def question(size=16, running=0, wheels=""):
    return Question(size, running, 229, wheels)


def test_sixteen_nodes_by_hand():
    # 2.29 * (45 * 1 + 20 * 16) / 60 = 13.93; 2.29 * (45 + 10) * 16 / 60 = 33.59.
    assert ways(question(), Times()) == {"build": (45, 2), "build_first": (65, 14), "at_once": (55, 34)}


def test_a_long_download_decides_how_long_all_at_once_takes():
    assert ways(question(), Times(rest=7200.0))["at_once"].minutes == 120


def test_nodes_that_run_already_are_paid_for_while_the_head_builds():
    assert ways(question(running=4), Times())["build_first"].dollars == 20  # 2.29 * (45 * 4 + 20 * 16) / 60 = 19.08


def test_with_wheels_nothing_is_waited_for():
    both = ways(question(wheels=ON_SHARE), Times())
    assert both["at_once"] == both["build_first"] == (20, 13)


@pytest.mark.parametrize(
    ("asked", "wheels", "done"),
    [
        ("auto", "", "build_first"),
        ("auto", ON_SHARE, "at_once"),
        ("at_once", "", "at_once"),
        ("build_first", ON_SHARE, "build_first"),
    ],
)
def test_the_users_word_wins_over_what_is_there(asked, wheels, done):
    assert choose(asked, wheels) == done


def test_it_is_said_in_three_lines():
    assert sentences(question(), Times(), "build_first") == [
        "No wheels yet. build_first: 1 node for about 45 min, then 16: about $14 and 65 min until the first token.",
        "at_once: 16 nodes from the start: about $34 and 55 min.",
        "At $2.29/h for each node; times are the usual ones. Doing build_first; -e gh200_growth=at_once for the other.",
    ]
    assert "Doing at_once; -e gh200_growth=build_first" in sentences(question(), Times(), "at_once")[2]


def test_one_node_has_no_choice():
    (line,) = sentences(question(size=1), Times(), "build_first")
    assert "No wheels yet: the node builds them. 1 node: about $3 and 55 min" in line


def test_with_wheels_it_is_said_where_they_are():
    (line,) = sentences(question(wheels=ON_SHARE), Times(), "at_once")
    assert line.startswith("The wheels are on the filesystem. 16 nodes: about $13 and 20 min")
    assert "Doing build_first, as told." in sentences(question(wheels=ON_SHARE), Times(), "build_first")


@pytest.mark.parametrize(
    ("wheels", "line"),
    [
        ("", "No wheels yet. They take 1 node for about 45 min: about $2."),
        ("filesystem", "The wheels are on the filesystem. A node brings them to the control node in some minutes."),
        ("control node", "The wheels are on the control node. Nothing is to be done."),
        ("nowhere needed", "This lane builds nothing. Nothing is to be done."),
    ],
)
def test_wheels_alone_have_a_sentence_of_their_own(wheels, line):
    assert build_sentence(question(wheels=wheels), Times()) == line


def test_times_of_an_earlier_run_take_the_place_of_the_usual_ones():
    known = Times.of({"alone": 600.0, "rest": 120.0, "start": 60.0})
    assert ways(question(4), known) == {"build": (10, 1), "build_first": (12, 1), "at_once": (11, 2)}
    assert "times are those of an earlier run" in sentences(question(4), known, "build_first")[2]
    partly = Times.of({"alone": 600.0})
    assert (partly.alone, partly.rest) == (600.0, Times().rest)
    assert "in part" in sentences(question(4), partly, "build_first")[2]


def test_never_a_cent_or_a_minute_too_little():
    assert ways(question(1), Times(alone=1.0, rest=1.0, start=1.0))["at_once"] == (1, 1)
    assert ways(question(1), Times(alone=0.0, rest=60.5, start=0.0))["at_once"].minutes == 2


@pytest.mark.parametrize(
    ("moments", "builds", "parts"),
    [
        (
            {"began": 0.0, "built": 100.0, "grew": 101.0, "fetched": 130.0, "served": 150.0},
            True,
            {"alone": 100.0, "rest": 49.0, "start": 20.0},
        ),
        ({"began": 0.0, "built": 100.0, "fetched": 110.0, "served": 150.0}, True, {"alone": 100.0, "start": 40.0}),
        ({"began": 0.0, "built": 9.0, "fetched": 30.0, "served": 50.0}, False, {"rest": 50.0, "start": 20.0}),
        ({"began": 0.0, "built": 100.0}, True, {"alone": 100.0}),
        ({"began": 5.0, "built": 5.0}, True, {}),
        ({}, True, {}),
    ],
)
def test_a_run_tells_only_the_parts_that_it_had(moments, builds, parts):
    assert took(moments, builds) == parts


def test_notes_are_kept_by_filesystem_and_kind(tmp_path):
    growth_notes.Notes(str(tmp_path)).write(["fs-1"], ["vllm-a"], "source/x", {"alone": 9.0})
    growth_notes.Notes(str(tmp_path)).write(["fs-1"], ["vllm-b"], "source/x", {"rest": 7.0})
    read = growth_notes.Notes(str(tmp_path))
    assert read.wheels("fs-1") == {"vllm-a", "vllm-b"} and read.wheels("fs-2") == set()
    assert read.seconds("source/x") == {"alone": 9.0, "rest": 7.0} and read.seconds("index/x") == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        '"x"',
        '{"wheels": [1], "seconds": 3}',
        '{"wheels": {"fs-1": "vllm-a"}, "seconds": {"source/x": {"alone": "long"}}}',
        '{"seconds": {"source/x": {"alone": -1, "rest": true, "start": NaN}}}',
    ],
)
def test_notes_that_make_no_sense_are_none(tmp_path, text):
    (tmp_path / "growth.json").write_text(text, encoding="utf-8")
    read = growth_notes.Notes(str(tmp_path))
    assert read.wheels("fs-1") == set() and read.seconds("source/x") == {}
    read.write(["fs-1"], ["vllm-a"], "source/x", {})
    assert json.loads((tmp_path / "growth.json").read_text(encoding="utf-8"))["wheels"] == {"fs-1": ["vllm-a"]}
