# SPDX-License-Identifier: GPL-3.0-or-later
"""The time left of a start follows from earlier ones."""

from __future__ import annotations

import json

import pytest

EARLIER = [
    {"Loading": 10, "Warming up": 100, "right": 160},
    {"Loading": 12, "Warming up": 90, "right": 140},
    {"Loading": 11, "Warming up": 95, "right": 150},
]


@pytest.fixture(name="starts")
def program(load, tmp_path):
    """starts(earlier): those of a file with that text."""
    module = load("vllm_serve/starts.py")
    path = tmp_path / "folder" / "starts.json"

    def starts(earlier=None):
        if earlier is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_text(earlier if isinstance(earlier, str) else json.dumps(earlier), encoding="utf-8")
        return module.Starts(str(path))

    return starts


def test_the_first_start_knows_nothing(starts):
    assert starts().left("Loading", 5) is None


def test_the_middle_one_counts_from_the_begin_of_the_stage(starts):
    now = starts(EARLIER)
    assert now.left("Loading", 30) == 139  # it began late, and all of the stage is still to come
    assert now.left("Loading", 60) == 109
    assert now.left("Warming up", 80) == 55
    assert now.left("Warming up", 500) == 0


def test_a_stage_that_no_start_had_tells_nothing(starts):
    assert starts(EARLIER).left("Capturing", 5) is None


def test_what_was_right_is_kept_and_only_the_last_five(starts):
    for number in range(7):
        now = starts()
        now.left("Loading", 1)
        now.end(100 + number)
    assert [start["right"] for start in starts().earlier] == [102, 103, 104, 105, 106]


def test_a_start_that_was_joined_late_is_not_kept(starts):
    now = starts()
    now.left("Warming up", 300)
    now.end(400)
    assert starts().earlier == []


@pytest.mark.parametrize("text", ["", "{", "{}", "7", "[1]", '[{"right": "x"}]', '[{"Loading": 1}]'])
def test_a_file_of_something_else_counts_as_none(starts, text):
    assert starts(text).left("Loading", 1) is None
