# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for Ray: all nodes with all GPUs, or a sentence with the names of those that are missing."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

EXPECTED = {"r1-00": "10.0.0.1", "r1-01": "10.0.0.2"}


def node(address, gpus=1.0, alive=True):
    """As ray.nodes() gives it."""
    return {
        "NodeManagerAddress": address,
        "Resources": {"GPU": gpus, "CPU": 64} if gpus else {"CPU": 64},
        "Alive": alive,
    }


BOTH = [node("10.0.0.1"), node("10.0.0.2")]


@pytest.fixture(name="wait")
def wait_for_nodes(load, monkeypatch):
    """wait(*answers, timeout=60): each answer is a list of nodes or an error; the last one stays.

    `wait.asked` counts.
    """

    def wait(*answers, timeout=60, gpus=1):
        state = SimpleNamespace(asked=0, up=False)

        def init(address, **options):
            assert address == "10.0.0.1:6379"
            state.up = True

        def nodes():
            state.asked += 1
            answer = answers[min(state.asked, len(answers)) - 1]
            if isinstance(answer, Exception):
                raise answer
            return answer

        fake = SimpleNamespace(
            is_initialized=lambda: state.up, init=init, nodes=nodes, shutdown=lambda: setattr(state, "up", False)
        )
        monkeypatch.setitem(sys.modules, "ray", fake)
        module = load("ray_cluster/wait_nodes.py")
        monkeypatch.setattr(
            module, "time", SimpleNamespace(monotonic=lambda: 10.0 * state.asked, sleep=lambda seconds: None)
        )
        try:
            module.main("10.0.0.1:6379", timeout, gpus, EXPECTED)
        finally:
            wait.asked = state.asked

    return wait


def test_all_nodes_are_counted_with_their_gpus(wait, capsys):
    wait(BOTH)
    assert json.loads(capsys.readouterr().out) == {"nodes": 2, "gpus": 2}


def test_it_waits_for_the_last_one(wait):
    wait([], [node("10.0.0.1")], BOTH)
    assert wait.asked == 3


@pytest.mark.parametrize("second", [node("10.0.0.3"), node("10.0.0.2", alive=False), node("10.0.0.2", gpus=0)])
def test_a_node_that_is_missing_dead_or_without_its_gpu_is_named(wait, second):
    words = (
        r"^1 of 2 nodes have not joined Ray at 10\.0\.0\.1:6379 within 60 s: r1-01 \(10\.0\.0\.2\)\. "
        r"See `journalctl -u ray` there"
    )
    with pytest.raises(SystemExit, match=words):
        wait([node("10.0.0.1"), second])
    assert wait.asked == 7


def test_fewer_gpus_than_expected_are_not_enough(wait):
    with pytest.raises(SystemExit, match="2 of 2 nodes"):
        wait(BOTH, gpus=2)


def test_a_head_that_does_not_answer_is_told_and_asked_again(wait):
    with pytest.raises(SystemExit, match=r"The head's Ray does not answer \(ConnectionError\)\."):
        wait(ConnectionError("no"))
    wait(ConnectionError("no"), BOTH)
    assert wait.asked == 2


def test_a_node_that_left_is_waited_for_until_it_is_forgotten(wait, capsys):
    left = node("10.0.0.3")
    wait([*BOTH, left], [*BOTH, left], [*BOTH, left | {"Alive": False}])
    assert wait.asked == 3 and json.loads(capsys.readouterr().out)["nodes"] == 2


def test_a_node_that_is_not_of_the_cluster_is_named(wait):
    with pytest.raises(SystemExit, match=r"nodes that are not of this cluster, .*: 10\.0\.0\.3\. Stop Ray there"):
        wait([*BOTH, node("10.0.0.3")])


def test_a_second_ray_of_a_node_is_named_once_it_does_not_go(wait):
    old = node("10.0.0.2", gpus=0)
    wait([*BOTH, old], BOTH)
    with pytest.raises(SystemExit, match=r"^More than one Ray of r1-01 has joined the one at 10\.0\.0\.1:6379"):
        wait([*BOTH, old])
