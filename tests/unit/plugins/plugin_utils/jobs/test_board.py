# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder in which the hosts of one task tell each other how far they are: with processes, as Ansible has them."""

from __future__ import annotations

import json
import multiprocessing
import os

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.jobs import board, journal, teller

FORK = multiprocessing.get_context("fork")
HOSTS = [f"r1-{number:02}" for number in range(8)]


def entry(state="running", **more):
    return {"state": state, "seconds": 1, "label": "Fetch", **more}


@pytest.fixture(name="at")
def board_of_a_host(tmp_path):
    """at(host, about): its board."""
    return lambda host, about="": board.Board(str(tmp_path), "task/1", host, about)


def test_the_failure_that_came_first_is_told_to_all(at):
    at("a").put(board.RUNNING)
    assert at("b").failure() is None
    at("c").put(board.FAILED, sentence="The disk is full.")
    at("a").put(board.FAILED, sentence="c has failed.")
    assert (at("b").failure()["host"], at("b").failure()["sentence"]) == ("c", "The disk is full.")


def test_another_item_of_a_loop_does_not_hide_a_failure_and_another_attempt_does(at):
    at("a", "one").put(board.FAILED)
    at("a", "two").put(board.BEGUN)
    assert at("b").failure()["host"] == "a"
    at("a", "one").put(board.BEGUN)
    assert at("b").failure() is None


def test_a_host_has_ended_one_item_of_a_loop_and_not_the_next(at):
    assert at("b").has_ended("a", "one") is None
    at("a", "one").put(board.RUNNING)
    assert at("b").has_ended("a", "one") is False
    at("a", "one").put(board.FINISHED)
    assert at("b").has_ended("a", "one") is True and at("b").has_ended("a", "two") is None


def test_what_a_host_knew_last_stays_when_it_fails(at):
    mine = at("a")
    mine.put(board.RUNNING, {"model": entry()})
    mine.put(board.FAILED, sentence="It broke.")
    assert at("b").by_job() == {"model": {"a": entry()}}


def test_names_cannot_lead_out_of_the_folder(at, tmp_path):
    odd = at("../../a", "../x y/" + "z" * 500)
    odd.put(board.RUNNING)
    odd.note_background("model")
    assert odd.records()[0]["host"] == "../../a" and odd.background() == ["model"]
    assert [path.name for path in tmp_path.iterdir()] == ["gh200-jobs"]


def test_another_task_knows_of_background_jobs_and_of_nothing_else(at, tmp_path):
    at("a").note_background("model")
    at("a").put(board.FAILED)
    other = board.Board(str(tmp_path), "task/2", "a")
    assert (other.background(), other.records(), other.failure()) == (["model"], [], None)
    assert at("b").background() == []


def test_no_line_is_told_before_all_that_have_begun_know_how_far_they_are(at):
    at("a").put(board.RUNNING)
    at("b").put(board.BEGUN)
    with at("a").turn(0) as first:
        assert not first
    at("b").put(board.RUNNING)
    with at("a").turn(1000) as second:
        assert second
    with at("b").turn(1000) as third:
        assert not third
    assert at("b").was_told()


def tell(arguments):
    """One host's process: it says what it has to, and returns it."""
    temporary, host, gate = arguments
    said = []
    mine = board.Board(temporary, "task", host)
    told = teller.Teller(mine, temporary + "/state", said.append, said.append, {})
    mine.put(board.BEGUN)
    with open(gate, "rb") as stream:
        stream.read()  # until all have begun
    mine.put(board.RUNNING, {"model": entry(done=1e9, total=4e9, unit="bytes", rate=1e8, seconds_left=30)})
    told.tell()
    return said


def test_one_of_many_processes_tells_one_line_for_all(tmp_path, monkeypatch):
    monkeypatch.delenv(journal.VARIABLE, raising=False)
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with FORK.Pool(len(HOSTS)) as pool:
        asked = pool.map_async(tell, [(str(tmp_path), host, str(gate)) for host in HOSTS], chunksize=1)
        mine = board.Board(str(tmp_path), "task", "r1-00")
        with open(gate, "wb"):
            while len(mine.records()) < len(HOSTS):
                pass
        said = [line for lines in asked.get() for line in lines]
    assert said == ["[8 nodes] Fetch: 8.0 of 32.0 GB, 800 MB/s, about 30 s left of 30; slowest r1-00, 25 %"]
    (file,) = (tmp_path / "state/.jobs/progress").iterdir()
    (line,) = [json.loads(text) for text in file.read_text(encoding="utf-8").splitlines()]
    assert (line["done"], line["total"], line["rate"], line["slowest"]) == (8e9, 32e9, 8e8, "r1-00")
    assert sorted(line["hosts"]) == HOSTS and file.stat().st_mode & 0o777 == 0o600


def test_all_processes_of_a_run_write_one_file(tmp_path, monkeypatch):
    monkeypatch.delenv(journal.VARIABLE, raising=False)
    with FORK.Pool(8) as pool:
        paths = pool.map(path_of_the_run, [str(tmp_path)] * 16)
    assert len(set(paths)) == 1


def path_of_the_run(folder):
    """One process' answer."""
    return journal.path(folder, board.Board(folder, "task", "a"))
