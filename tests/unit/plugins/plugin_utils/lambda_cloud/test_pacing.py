# SPDX-License-Identifier: GPL-3.0-or-later
"""The pace of an account: how long to wait, and one call at a time."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import pacing

KEY = "secret_test_0000.planted"


@pytest.fixture(name="pace")
def quick_pace(tmp_path):
    """A pace that lets everything through at once."""
    return pacing.Pace(KEY, 0, 0, str(tmp_path / "pace"))


def is_free(pace):
    """Whether another process could make a call now."""
    with open(pace.path, encoding="utf-8") as other:
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@pytest.mark.parametrize(
    ("last", "launch", "seconds"),
    [
        ({}, False, 0),
        ({"request": 100}, False, 1),
        ({"request": 99.5}, False, 0.5),
        ({"request": 90}, False, 0),
        ({"launch": 95}, False, 0),
        ({"launch": 95, "request": 99.5}, True, 7),
        ({"request": 100}, True, 1),
        ({"launch": 80, "request": 80}, True, 0),
        ({"request": 5000}, False, 1),
        ({"launch": 5000}, True, 12),
    ],
)
def test_the_next_call_waits_for_what_is_left_of_its_interval(tmp_path, last, launch, seconds):
    wait = pacing.Pace(KEY, 1.0, 12.0, str(tmp_path)).wait_for(last, 100.0, launch)
    assert seconds <= wait <= seconds + 0.25  # a little more than the interval, but little


def test_others_are_kept_out_until_the_call_has_ended(pace):
    with pace.passage():
        assert not is_free(pace)
    assert is_free(pace)


def test_a_call_that_fails_lets_the_next_one_through(pace):
    with pytest.raises(OSError, match="reset"), pace.passage(launch=True):
        raise OSError("reset")
    assert is_free(pace)


def test_a_launch_counts_as_a_request_too(pace):
    with pace.passage(launch=True):
        pass
    text = Path(pace.path).read_text(encoding="utf-8")
    assert '"launch"' in text and '"request"' in text


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"request": "soon"}', '{"request": null}', "\udc80"])
def test_a_damaged_file_is_as_none(pace, damage):
    with pace.passage():
        pass
    Path(pace.path).write_bytes(damage.encode(errors="surrogateescape"))
    with pace.passage():
        assert '"request"' in Path(pace.path).read_text(encoding="utf-8")


def test_the_key_is_in_neither_name_nor_file_which_is_the_users_own(pace):
    with pace.passage():
        pass
    assert "planted" not in pace.path and "planted" not in Path(pace.path).read_text(encoding="utf-8")
    assert os.stat(pace.path).st_mode & 0o777 == 0o600 and os.stat(pace.folder).st_mode & 0o777 == 0o700


def test_two_accounts_do_not_wait_for_each_other(pace, tmp_path):
    other = pacing.Pace(KEY + "2", 0, 0, str(tmp_path / "pace"))
    with pace.passage(), other.passage():
        assert pace.path != other.path


class Clock:
    """Says what it is told, and moves when somebody sleeps."""

    def __init__(self):
        self.time = 5000.0

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += seconds


@pytest.mark.parametrize(
    ("took", "launch", "begins"),
    [(0.4, False, 5000 + 0.4 + 1.01), (5, True, 5000 + 12.24), (30, True, 5000 + 30 + 1.01)],
)
def test_a_call_is_counted_from_its_end_and_a_launch_from_its_begin(tmp_path, took, launch, begins):
    """A call may arrive late in its time. A launch is known to take long after it has arrived."""
    clock = Clock()
    pace = pacing.Pace(KEY, 1.0, 12.0, str(tmp_path), clock)
    with pace.passage(launch=launch):
        clock.sleep(took)
    with pace.passage(launch=launch):
        assert clock.time == pytest.approx(begins, abs=0.01)


def test_a_process_that_is_killed_in_its_call_is_counted_too(pace):
    with pace.passage():
        assert '"request"' in Path(pace.path).read_text(encoding="utf-8")


def test_a_clock_that_was_set_back_costs_one_interval_and_not_the_whole_difference(tmp_path):
    clock = Clock()
    pace = pacing.Pace(KEY, 1.0, 12.0, str(tmp_path), clock)
    with pace.passage(launch=True):
        clock.time = 100.0
    with pace.passage(launch=True):
        assert 112 <= clock.time <= 113
