# SPDX-License-Identifier: GPL-3.0-or-later
"""The watchdog's own loop: what nodes and Ray tell it, and what the judge has it do."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

REPORT = {"name": "r1-01", "start": "1", "memory": {"total": 8, "free": 4, "kills": 3}}


@pytest.fixture(name="watch")
def a_watchdog(load, settings, monkeypatch, tmp_path):
    """With an engine that is not there."""
    program = load("watchdog/watch.py")
    engine = SimpleNamespace(
        metrics=None,
        metrics_at=0.0,
        canary=None,
        check=None,
        about=dict,
        take_own=lambda: {"generated": 0, "prompt": 0},
    )
    engine.unit = lambda: {
        "state": "inactive",
        "ended": False,
        "busy": False,
        "enabled": True,
        "invocation": "",
        "pid": 0,
        "restarts": 0,
        "exit": "",
    }
    monkeypatch.setattr(program.engine, "Engine", lambda told: engine)
    files = {name: str(tmp_path / name) for name in ("state_file", "history_file")}
    return program.Watchdog(settings | files | {"unit": "vllm"})


def test_a_wish_for_a_new_start_is_for_one_start_of_ray_alone(watch):
    assert watch.take("r1-01", REPORT) == {"restart": None}
    watch.act("renew", "r1-01", "its ranks outlive the server")
    assert watch.take("r1-01", REPORT) == {"restart": "its ranks outlive the server"}
    assert watch.take("r1-01", {**REPORT, "start": "2"}) == {"restart": None}


def test_what_the_kernel_killed_before_is_not_counted(watch):
    watch.take("r1-01", REPORT)
    assert watch.see()["kills"] == {"r1-01": 0}
    watch.take("r1-01", {**REPORT, "memory": {"total": 8, "free": 4, "kills": 5}})
    assert watch.see()["kills"] == {"r1-01": 2}


def test_a_supervisor_of_an_older_version_is_heard(watch):
    watch.take("r1-01", {"name": "r1-01", "start": "1"})
    seen = watch.see()
    watch.judge.judge(seen)
    assert watch.record.state(watch.judge, seen, {})["nodes"]["r1-01"]["ranks"] == []
    with pytest.raises(KeyError):
        watch.take("r1-01", {"name": "r1-01"})


def test_half_a_line_of_ray_and_words_of_its_own_are_passed_over(watch):
    said = r"""print('{"nodes": {"10.0.0.1": 1}, "free": 1}'); print("Traceback"); print('{"nodes": {"10.0')"""
    watch.follow([sys.executable, "-c", said])
    assert watch.see()["ray"] == {"nodes": {"10.0.0.1": 1}, "free": 1}
