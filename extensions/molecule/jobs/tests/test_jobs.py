# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays in which a job fails, or somebody presses Ctrl-C: nobody waits for nothing, and what runs goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import testinfra

PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
INVENTORY = PROJECT / "inventory/lab-molecule"
PLAYS = Path(__file__).resolve().parent.parent / "plays"
HEAD, WORKER = "molecule-00", "molecule-01"
JOBS = ("early", "background", "build", "fetch")


@pytest.fixture(name="play")
def running_playbook(tmp_path):
    """play(name): the process of a playbook; its outputs are in `play.said()`. Jobs are ended afterwards."""
    said = tmp_path / "said"

    def play(name, *more):
        command = [Path(sys.executable).parent / "ansible-playbook", "-i", INVENTORY, PLAYS / f"{name}.yml", *more]
        environment = {
            **os.environ,
            "ANSIBLE_FORCE_COLOR": "0",
            "GH200_PROGRESS_LOG": str(tmp_path / "progress.jsonl"),
        }
        with open(said, "ab") as stream:
            return subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=stream, stderr=subprocess.STDOUT)

    play.said = lambda: said.read_text(encoding="utf-8") if said.exists() else ""
    play.progress = tmp_path / "progress.jsonl"
    yield play
    for name in JOBS:
        for node in (HEAD, WORKER):
            on(node).run(f"systemctl stop gh200-job-molecule-{name}; systemctl reset-failed gh200-job-molecule-{name}")


def on(node):
    """The node, as root."""
    return testinfra.get_host(f"ansible://{node}", ansible_inventory=str(INVENTORY), sudo=True)


def is_active(node, name):
    return on(node).run(f"systemctl is-active gh200-job-molecule-{name}").stdout.strip() == "active"


def test_a_failure_on_one_node_ends_the_waiting_on_the_other(play):
    assert play("early").wait(timeout=120) != 0
    said = play.said()
    assert "The job molecule-early failed" in said and "Its last line: The disk is full" in said
    assert f"{HEAD} does not wait for molecule-early any more, since {WORKER} has failed" in said
    assert is_active(HEAD, "early") and "Traceback" not in said


def test_a_job_that_is_killed_in_the_background_ends_the_build_too(play):
    assert play("background").wait(timeout=180) != 0
    said = play.said()
    assert "The job molecule-background failed" in said and "it was killed by signal 9" in said
    assert f"{HEAD} does not wait for Build it any more, since {WORKER} has failed" in said
    assert is_active(HEAD, "build") and is_active(HEAD, "background") and "Traceback" not in said


def test_one_line_and_one_file_tell_of_all_nodes(play):
    assert play("fetch").wait(timeout=120) == 0
    assert "[2 nodes] Fetch it: Fetching" not in play.said()
    assert "[2 nodes] Fetch it: " in play.said() and "of 1.0 GB" in play.said()
    lines = [json.loads(line) for line in play.progress.read_text(encoding="utf-8").splitlines()]
    assert {line["job"] for line in lines} == {"molecule-fetch"} and sorted(lines[-1]["hosts"]) == [HEAD, WORKER]
    assert lines[0]["total"] == 1e9 and lines[-1]["state"] == "finished"
    assert play("fetch").wait(timeout=120) == 0
    assert " left of " in play.said()


def test_an_interrupt_ends_the_waiting_only(play):
    process = play("early", "--extra-vars=all_last=true")
    deadline = time.monotonic() + 60
    while not is_active(HEAD, "early"):
        assert process.poll() is None and time.monotonic() < deadline, play.said()
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)
    assert "the jobs on the nodes go on: run this again to join them" in play.said()
    assert is_active(HEAD, "early") and "Traceback" not in play.said()
