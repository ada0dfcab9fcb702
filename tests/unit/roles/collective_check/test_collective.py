# SPDX-License-Identifier: GPL-3.0-or-later
"""When there is nothing to do, and what a process of a rank says."""

from __future__ import annotations

import getpass
import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[4] / "roles/collective_check/files"


@pytest.fixture(name="collective")
def program(load, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(FOLDER))
    module = load("collective_check/collective.py")
    monkeypatch.setattr(module, "MARKERS", str(tmp_path / "passed"))
    monkeypatch.setattr(module, "WORKER", b"nothing has this title")
    monkeypatch.setattr(module.subprocess, "run", lambda *args, **options: subprocess.CompletedProcess(args, 3, ""))
    return module


def settings_of(nodes, **more):
    return {
        "nodes": nodes,
        "head": "b",
        "me": "b",
        "python": sys.executable,
        "user": getpass.getuser(),
        "gpus": 1,
        "port": 29400,
        "timeout": 20,
        "mib": 1,
        "interface": "lo",
        **more,
    }


def test_one_rank_has_passed_and_need_not_pass_again(collective, capsys):
    text = json.dumps(settings_of({"b": "127.0.0.1"}))
    assert collective.main("done", text) == 1
    assert collective.main("run", text) is None
    assert capsys.readouterr().out == "one rank on one node: there is nothing to sum\n"
    assert collective.main("done", text) == 0
    assert capsys.readouterr().out == "one rank on one node: there is nothing to sum\n"


@pytest.mark.parametrize("more", [{"gpus": 2}, {"python": "/other"}, {"nodes": {"b": "127.0.0.2"}}])
def test_what_has_passed_is_these_nodes_only(collective, more):
    settings = settings_of({"b": "127.0.0.1"})
    assert collective.marker(settings) != collective.marker({**settings, **more})


def test_every_node_keeps_the_same_name_for_it(collective):
    one, other = (settings_of({"a": "10.0.0.1", "b": "10.0.0.2"}, me=me) for me in "ab")
    assert collective.marker(one) == collective.marker(other)


def test_a_rank_of_the_engine_is_nothing_to_disturb(collective, monkeypatch):
    text = json.dumps(settings_of({"a": "10.0.0.1", "b": "10.0.0.2"}, me="a"))
    assert collective.main("done", text) == 1
    with subprocess.Popen(["bash", "-c", "exec -a ray::RayWorkerWrapper.unit-test sleep 60"]) as process:
        while not collective.title(process.pid).startswith(b"ray::"):
            pass
        monkeypatch.setattr(collective, "WORKER", b"ray::RayWorkerWrapper.unit-test")
        assert collective.main("done", text) == 0
        process.kill()


def test_the_head_has_rank_0(collective):
    assert collective.order(settings_of({"c": "1", "a": "2", "b": "3"})) == ["b", "a", "c"]


def test_an_address_that_no_interface_has_is_a_sentence(collective):
    settings = settings_of({"a": "10.0.0.1", "b": "10.0.0.2"}, interface=None)
    assert collective.main("run", json.dumps(settings)).startswith("b (10.0.0.2) has no interface with this address:")


def test_a_user_who_is_not_there_is_a_sentence(collective):
    said = collective.main("run", json.dumps(settings_of({"b": "127.0.0.1"}, gpus=2, user="no-such-user")))
    assert said == "b has no user 'no-such-user': correct collective_check_user."


@pytest.fixture(name="play")
def program_of_a_rank(tmp_path):
    """play(text): a Python for settings, which runs this text instead of measure.py."""

    def play(text):
        path = tmp_path / "python"
        path.write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return play


def test_the_results_of_all_ranks_are_one_line(collective, play, capsys):
    result = {"backend": "nccl", "ranks": 2, "pairs": [["b", "c", 1.234]], "rate": 2.0}
    python = play(f"echo WARN of a library\nread -r seconds\necho '{json.dumps({'result': result})}'")
    assert collective.main("run", json.dumps(settings_of({"b": "127.0.0.1"}, gpus=2, python=python))) is None
    shown = capsys.readouterr().out.splitlines()
    assert (
        shown[-1] == "all-reduce over 1 nodes (2 ranks) on lo (nccl): 2.00 GB/s of bus bandwidth, sums right; "
        "pairs in GB/s: b to c 1.23"
    )
    assert "WARN of a library" in shown


def test_the_error_of_a_rank_names_its_step(collective, play):
    python = play("""echo '{"step": "gloo from a to b"}'; echo '{"error": "RuntimeError: closed by peer"}'""")
    said = collective.main("run", json.dumps(settings_of({"b": "127.0.0.1"}, gpus=2, python=python)))
    assert "on b (rank " in said and "failed at: gloo from a to b; RuntimeError: closed by peer." in said


def test_a_rank_that_ends_is_no_wait(collective, play):
    said = collective.main("run", json.dumps(settings_of({"b": "127.0.0.1"}, gpus=2, python=play("exit 1"))))
    assert "failed at: its start; the process ended without a word." in said


def test_a_rank_that_stands_still_is_named_with_what_it_waits_for(collective, play):
    python = play("""echo '{"step": "gloo from a to b"}'; exec sleep 60""")
    said = collective.main("run", json.dumps(settings_of({"b": "127.0.0.1"}, gpus=2, python=python, timeout=2)))
    assert "did not get on within 2 s; it waits for: gloo from a to b." in said
