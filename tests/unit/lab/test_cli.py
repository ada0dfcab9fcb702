# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command line: what it takes, and how it refuses."""

from __future__ import annotations

import argparse
import fcntl

import pytest

from lab import cli
from lab.config import NODE_COUNTS, Paths
from lab.errors import LabError


@pytest.mark.parametrize("count", NODE_COUNTS)
def test_a_number_of_nodes_is_one_of_the_shapes(count):
    assert cli.node_count(str(count)) == count


@pytest.mark.parametrize("text", ["0", "3", "-1", "17", "04", " 4", "4.0", "four", ""])
def test_another_number_is_refused_with_those_that_work(text):
    with pytest.raises(argparse.ArgumentTypeError, match="use 1, 2, 4, 8, 16"):
        cli.node_count(text)


def test_a_wrong_number_ends_with_status_2_before_anything_is_done(monkeypatch, capsys):
    monkeypatch.setattr(cli, "alone", lambda paths: pytest.fail("the lab was touched"))
    with pytest.raises(SystemExit) as caught:
        cli.main(["up", "--nodes", "3"])
    assert caught.value.code == 2 and "use 1, 2, 4, 8, 16" in capsys.readouterr().err


def test_only_one_command_is_at_work(tmp_path):
    paths = Paths(tmp_path)
    with (tmp_path / "lock").open("w", encoding="utf-8") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(LabError, match="Another lab command is at work"), cli.alone(paths):
            pytest.fail("two at once")
    with cli.alone(paths):
        pass


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [(LabError("It is so."), 1, "lab: It is so.\n"), (KeyboardInterrupt(), 130, "goes on from here")],
)
def test_an_error_is_one_line_and_a_status(tmp_path, monkeypatch, capsys, error, status, words):
    def fail(paths, options):
        raise error

    monkeypatch.setattr(cli, "Paths", lambda: Paths(tmp_path))
    monkeypatch.setattr(cli, "status", fail)
    assert cli.main(["status"]) == status
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("count", ["1", "5", "64"])
def test_light_nodes_may_be_any_number_up_to_the_quota(count):
    assert cli.light_count(count) == int(count)


@pytest.mark.parametrize("text", ["0", "65", "-1", "x", ""])
def test_another_number_of_light_nodes_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="use 1 to 64"):
        cli.light_count(text)
