# SPDX-License-Identifier: GPL-3.0-or-later
"""What ninja counts becomes the progress of the job, and its output stays what it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture(name="follow")
def program(load):
    return load("vllm_build/follow.py")


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture(name="told")
def progress(follow, tmp_path):
    """(progress, its clock, read)"""
    path, clock = tmp_path / "progress", Clock()
    made = follow.Progress(str(path), 5, 6, "Compiling", clock)
    return made, clock, lambda: json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def test_only_counts_are_told(told):
    progress, dummy, read = told
    for line in ("Using MAX_JOBS=2\n", "see [3/4] there\n", "  [x/4]\n"):
        progress.line(line)
    assert read() is None


def test_a_count_is_told_with_the_time_that_is_left(told):
    progress, clock, read = told
    progress.line("  [10/300] Building CXX object a.o\n")
    assert read() == {"what": "Compiling", "step": 5, "steps": 6, "done": 10, "total": 300, "unit": "files"}
    clock.now += 20
    progress.line("[50/300] Building CUDA object b.o\n")
    assert (read()["done"], read()["seconds_left"]) == (50, 125)


def test_it_is_written_once_a_second_and_at_the_end(told):
    progress, clock, read = told
    progress.line("[1/3] a")
    progress.line("[2/3] b")
    assert read()["done"] == 1
    progress.line("[3/3] c")
    assert read()["done"] == 3
    clock.now += 5
    progress.line("[1/80] another run of ninja")
    assert (read()["done"], read()["total"], "seconds_left" in read()) == (1, 80, False)


def run(load, text, **more):
    path = load("vllm_build/follow.py").__file__
    environment = {name: value for name, value in os.environ.items() if name != "GH200_PROGRESS"} | more
    return subprocess.run(
        [sys.executable, path, "5", "6", "Compiling", "it"],
        input=text,
        capture_output=True,
        env=environment,
        check=True,
    ).stdout


def test_the_output_is_handed_on(load, tmp_path):
    text = "one\n[1/2] zw\u00f6lf\n".encode() + b"\xff\n[2/2] end"
    file = tmp_path / "progress"
    assert run(load, text, GH200_PROGRESS=str(file)).decode() == text.decode("utf-8", "replace")
    assert json.loads(file.read_text(encoding="utf-8"))["what"] == "Compiling it"
    assert run(load, b"[1/2] a\n") == b"[1/2] a\n"


def test_a_file_that_cannot_be_written_does_not_end_the_build(load, tmp_path):
    told = run(load, b"[1/2] a\n[2/2] b\n", GH200_PROGRESS=str(tmp_path / "missing" / "progress")).decode()
    assert told.startswith("[1/2] a\nThe progress cannot be told: ") and told.endswith("\n[2/2] b\n")
    assert told.count("cannot be told") == 1
