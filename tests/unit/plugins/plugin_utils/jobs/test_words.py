# SPDX-License-Identifier: GPL-3.0-or-later
"""One line, whether one host runs a job or many."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.jobs import words


def entry(state="running", seconds=75, **more):
    return {"state": state, "seconds": seconds, **more}


def fetching(done, rate=1e8, **more):
    left = (100e9 - done) / rate
    return entry(done=done, total=100e9, unit="bytes", rate=rate, seconds_left=left, what="Fetching", **more)


@pytest.mark.parametrize(
    ("known", "text"),
    [
        (entry(what="half"), "half (1m15s)"),
        (entry(), "running (1m15s)"),
        (entry(seconds=20), "running (20s), no earlier run tells how long it takes"),
        (
            entry(what="Compiling", step=3, steps=7, seconds_left=165, usual=240),
            "step 3 of 7, Compiling (1m15s), about 3 min left of 4",
        ),
        (entry(what="Compiling", step=3, steps=7, done=213, total=345), "step 3 of 7, Compiling, 213 of 345 (1m15s)"),
        (entry(what="a", done=2, total=3, unit="files"), "a, 2 of 3 files (1m15s)"),
        (entry(what="a", seconds_left=40, usual=115), "a (1m15s), about 40 s left of 2 min"),
        (entry(what="a", seconds_left=5 * 3600, usual=9), "a (1m15s), about 5.0 h left of 5.0"),
        (entry(what="a", seconds_left=0, usual=60), "a (1m15s), longer than the 1 min of last time"),
        (entry(what="a", seconds_left=0), "a (1m15s), nearly done"),
        (entry("finished"), "done (1m15s)"),
        (fetching(25e9), "Fetching, 25.0 of 100.0 GB, 100 MB/s (1m15s), about 12 min left of 14"),
        (entry(what="a", done=0, total=10, unit="bytes", rate=0), "a, 0.0 of 10.0 B (1m15s)"),
    ],
)
def test_one_host(known, text):
    assert words.line("Build", {"r1-00": known}) == f"[r1-00] Build: {text}"


def test_bytes_and_rates_of_all_are_added_and_the_slowest_is_named():
    hosts = {
        "r1-00": fetching(50e9),
        "r1-01": fetching(20e9, rate=4e7),
        "r1-02": entry("finished", total=100e9, done=99e9, unit="bytes"),
    }
    assert words.line("Fetch R1", hosts) == (
        "[3 nodes] Fetch R1: 170.0 of 300.0 GB, 140 MB/s, about 33 min left of 35, 1 done; slowest r1-01, 20 %"
    )


def test_steps_are_those_of_the_slowest():
    hosts = {
        "a": entry(what="Importing", step=2, steps=3),
        "b": entry(what="Loading", step=1, steps=3),
        "c": entry("finished"),
    }
    assert words.line("Check", hosts) == "[3 nodes] Check: 1 done; slowest b: step 1 of 3, Loading (1m15s)"


def test_the_slowest_is_the_one_with_the_longest_time():
    hosts = {
        "a": entry(what="x", step=2, steps=3, seconds_left=90),
        "b": entry(what="y", step=1, steps=3, seconds_left=80),
    }
    assert "; slowest" not in words.line("Check", hosts) and "slowest a: step 2" in words.line("Check", hosts)


def test_without_the_amount_of_one_there_is_no_sum():
    hosts = {"a": fetching(50e9), "b": entry(what="Asking the hub")}
    assert words.line("Fetch", hosts).startswith("[2 nodes] Fetch: slowest ")
    assert words.together(hosts)["total"] is None and words.together(hosts)["seconds_left"] is None


def test_units_that_differ_are_not_added():
    hosts = {"a": entry(done=1, total=2, unit="files"), "b": entry(done=1, total=2, unit="bytes")}
    assert words.together(hosts)["total"] is None


def test_all_have_ended():
    assert words.line("Fetch", {"a": entry("finished"), "b": entry("finished")}) == "[2 nodes] Fetch: done on all"


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59, "59s"), (60, "1m00s"), (3725, "62m05s")])
def test_times_are_short(seconds, text):
    assert words.clock(seconds) == text


def test_a_total_without_a_count_is_no_fault():
    hosts = {"a": entry(total=4, unit="files"), "b": entry("finished", total=4, unit="files")}
    assert words.line("Fetch", hosts) == "[2 nodes] Fetch: 4 of 8 files, 1 done; slowest a, 0 %"
