# SPDX-License-Identifier: GPL-3.0-or-later
"""A command that is followed: its lines are told, its end is judged."""

from __future__ import annotations

import os

import pytest

from lab import shell
from lab.errors import LabError


def test_each_line_is_told_and_logged(tmp_path):
    said, log = [], tmp_path / "log"
    shell.follow("sh", "-c", "echo one; echo hidden >&2; echo two", log=log, env=dict(os.environ), say=said.append)
    assert said == ["one", "two"]
    assert sorted(log.read_text(encoding="utf-8").split()) == ["hidden", "one", "two"]


def test_a_failure_names_the_command_its_last_line_and_the_log(tmp_path):
    with pytest.raises(LabError, match=r"`sh -c .*` failed with status 3: half way. Its log is .*/log"):
        shell.follow(
            "sh", "-c", "echo half way; exit 3", log=tmp_path / "log", env=dict(os.environ), say=lambda line: None
        )
