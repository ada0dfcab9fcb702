# SPDX-License-Identifier: GPL-3.0-or-later
"""The time without an answer is counted from the last good one to the next."""

from __future__ import annotations

import json
import threading
import time

import pytest

SETTINGS = {"facts": [{"prompt": "The capital of France is", "expect": ["Paris"]}]}


@pytest.fixture(name="gap")
def program(load, monkeypatch):
    """The program, on a node where the unit was never stopped, and which does not sleep long."""
    module = load("vllm_serve/gap.py")
    monkeypatch.setattr(module, "stopped_at", lambda: None)
    monkeypatch.setattr(module, "EVERY", 0.01)
    return module


def until(condition):
    """Wait for what another thread does; an end, so that a test fails instead of hanging."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def seen_of(gap, begin, moments):
    """What is noted of (moment, whether it answered)."""
    seen = {"good": 0, "last": begin, "was_good": False, "gaps": []}
    for moment, is_good in moments:
        gap.note(seen, is_good, moment)
    return seen


def test_a_gap_has_two_good_ends(gap):
    seen = seen_of(gap, None, [(100, True), (101, True), (102, False), (130, False), (131, True), (132, True)])
    assert seen["gaps"] == [[101, 131]] and seen["good"] == 4
    assert gap.sentence(seen) == "gap: 30.0 s (00:01:41 to 00:02:11) from the last good answer to the next"


def test_without_a_failure_there_is_none(gap):
    assert gap.sentence(seen_of(gap, None, [(1, True), (2, True)])) == "gap: none, 2 answers without one that failed"


def test_of_a_server_that_was_stopped_before_it_counts_from_then(gap):
    assert seen_of(gap, 50, [(100, False), (101, True)])["gaps"] == [[50, 101]]


@pytest.mark.parametrize(
    ("state", "journal", "expected"),
    [
        ("inactive", '{"__REALTIME_TIMESTAMP": "1700000000500000", "MESSAGE": "Stopped"}\n', 1700000000.5),
        ("failed", '{"__REALTIME_TIMESTAMP": "1700000000500000"}\n', 1700000000.5),
        ("inactive", "", None),
        ("active", '{"__REALTIME_TIMESTAMP": "1700000000500000"}\n', None),
        ("activating", '{"__REALTIME_TIMESTAMP": "1700000000500000"}\n', None),
    ],
)
def test_the_last_line_about_a_unit_that_does_not_run_is_its_end(load, monkeypatch, state, journal, expected):
    module = load("vllm_serve/gap.py")
    monkeypatch.setattr(module, "said", lambda program, *words: journal if program == "journalctl" else f"{state}\n")
    assert module.stopped_at() == expected


def test_a_server_that_never_answered_has_no_gap_to_count(gap):
    assert seen_of(gap, None, [(100, False), (101, True)])["gaps"] == []


def test_two_gaps_are_two(gap):
    seen = seen_of(gap, None, [(1, True), (2, False), (3, True), (4, False), (6, True)])
    assert "2.0 s (" in gap.sentence(seen) and "3.0 s (" in gap.sentence(seen)


def test_what_does_not_answer_at_the_end_is_told(gap):
    assert "does not answer now" in gap.sentence(seen_of(gap, None, [(1, True), (2, False)]))


def test_it_asks_whatever_is_served_with_the_key_of_the_moment(gap, serve, tmp_path):
    world = {"key": "first", "model": "r1", "asked": []}

    def endpoint(method, path, headers, sent):
        if headers.get("Authorization") != f"Bearer {world['key']}":
            return 401, b"{}"
        if path == "/v1/models":
            return 200, json.dumps({"data": [{"id": world["model"]}]}).encode()
        world["asked"].append(json.loads(sent)["model"])
        return 200, b'{"choices": [{"text": " Paris"}]}'

    (tmp_path / "env").write_text('VLLM_API_KEY="first"\n', encoding="utf-8")
    path = tmp_path / "canary.json"
    path.write_text(json.dumps(SETTINGS | {"url": serve(endpoint), "key_file": str(tmp_path / "env")}), "utf-8")
    folder = tmp_path / "gap"
    watching = threading.Thread(target=gap.watch, args=(str(path), str(folder)), daemon=True)
    watching.start()
    until(lambda: world["asked"])
    world["model"] = "v3"
    until(lambda: world["asked"][-1] == "v3")
    world["key"] = "second"
    until(lambda: not json.loads((folder / "state.json").read_text(encoding="utf-8"))["was_good"])
    (tmp_path / "env").write_text('VLLM_API_KEY="second"\n', encoding="utf-8")
    assert gap.tell(str(folder)).startswith("gap: ")
    watching.join(10)
    assert not watching.is_alive()
    assert len(json.loads((folder / "state.json").read_text(encoding="utf-8"))["gaps"]) == 1


def test_where_nobody_looked_it_is_one_sentence(gap, tmp_path):
    assert gap.main("canary.json", "tell", str(tmp_path)).startswith("Nobody has looked for gaps on this node: ")


def test_a_key_with_odd_letters_is_read_as_it_is(load, tmp_path):
    from ansible_collections.gh200.inference.plugins.module_utils import systemd

    odd = 'a"b\\c$d`"'
    (tmp_path / "env").write_text(systemd.environment_file({"VLLM_API_KEY": odd}), encoding="utf-8")
    assert load("vllm_serve/endpoint.py").key({"key_file": str(tmp_path / "env")}) == odd
