# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of how far a job is, from a file that a stranger may have written and from a log."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import progress


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"what": "Fetching", "done": 1, "total": 4.5, "unit": "bytes"}', {"done": 1, "total": 4.5, "unit": "bytes"}),
        (
            '{"what": "Fetching", "step": 1, "steps": 2, "rate": 3, "seconds_left": 4}',
            {"step": 1, "steps": 2, "rate": 3, "seconds_left": 4},
        ),
        ('{"what": "Fetching", "done": "1", "total": true, "rate": -1, "seconds_left": NaN, "other": 1}', {}),
        ('{"what": "\\u001b[31mFetching\\n"}', {}),
    ],
)
def test_known_keys_with_a_sense_are_taken(tmp_path, text, found):
    (tmp_path / "now.json").write_text(text, encoding="utf-8")
    assert progress.read(str(tmp_path / "now.json")) == {"what": "Fetching", **found}


@pytest.mark.parametrize("text", ["", "{", "[]", '"what"', "{}", '{"what": 1}', "[" * 5000, "\x00\xff"])
def test_what_is_no_progress_is_none(tmp_path, text):
    (tmp_path / "now.json").write_text(text, encoding="utf-8")
    assert progress.read(str(tmp_path / "now.json")) == {}


def test_nothing_but_a_file_is_read(tmp_path):
    (tmp_path / "secret").write_text(json.dumps({"what": "secret"}), encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    assert [progress.read(str(tmp_path / name)) for name in ("link", "pipe", "none", ".")] == [{}] * 4


@pytest.mark.parametrize(
    ("log", "found"),
    [
        ("", {}),
        ("one\ntwo\n", {"what": "two"}),
        ("one\n\n  \n-----\n", {"what": "one"}),
        ("one\nWARNING: old pip\nDEPRECATION: x\nINFO 01-02 WARNING it\n", {"what": "one"}),
        ("Compiling\nUsing MAX_JOBS=2 as the number of jobs.\n", {"what": "Compiling"}),
        ("Loading\nulimit of open files is low\n", {"what": "Loading"}),
        (" 10%\r 50%\r 99%", {"what": "99%"}),
        ("\x1b[32mgreen\x1b[0m\n", {"what": "green"}),
        ("x" * 300, {"what": "x" * 120}),
        ("[12/345] Building a.o\nnote: candidate\n", {"what": "Building a.o", "done": 12, "total": 345}),
        ("[345/345] Linking\nStoring the wheel\n", {"what": "Storing the wheel"}),
        ("[345/345] Linking\n", {"what": "Linking", "done": 345, "total": 345}),
        ("[1/2] a\nStep 2 of 3: Checking\nfine\n", {"what": "Checking", "step": 2, "steps": 3}),
    ],
)
def test_a_log_tells_its_count_or_the_last_line_that_says_something(tmp_path, log, found):
    (tmp_path / "log").write_text(log, encoding="utf-8")
    assert progress.look(None, str(tmp_path / "log")) == found


def test_a_step_that_compiles_is_as_far_as_the_compiler_says(tmp_path):
    (tmp_path / "now.json").write_text('{"what": "Compiling", "step": 2, "steps": 3}', encoding="utf-8")
    log = tmp_path / "log"
    log.write_text("[9/9] before\nStep 2 of 3: Compiling\n  [4/9] a.o\nwarning: x\n", encoding="utf-8")
    told = progress.look(str(tmp_path / "now.json"), str(log))
    assert told == {"what": "Compiling", "step": 2, "steps": 3, "done": 4, "total": 9}
