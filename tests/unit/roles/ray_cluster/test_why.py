# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a node has not joined, in one sentence."""

from __future__ import annotations

import socket

import pytest

# As Ray 2.42.1 writes it.
OTHER_PYTHON = """\
Traceback (most recent call last):
RuntimeError: Version mismatch: The cluster was started with:
    Ray: 2.42.1
    Python: 3.11.11
This process on node 10.0.0.2 was started with:
    Ray: 2.42.1
    Python: 3.11.4

ray.service: Main process exited, code=exited, status=1/FAILURE
"""
HELD = "Ray does not start on this node: port 6379 is held by process 7 (gcs_server of ubuntu), which is not x.\n"
FENCE = "The ports of Ray and vLLM were not fenced on this node: there is no /usr/sbin/nft.\n"


@pytest.fixture(name="why")
def why_program(load):
    """The program."""
    return load("ray_cluster/why.py")


@pytest.mark.parametrize(
    ("state", "log", "away", "sentence"),
    [
        (
            "activating",
            OTHER_PYTHON,
            "",
            "it has Ray 2.42.1 with Python 3.11.4, the head Ray 2.42.1 with Python 3.11.11: "
            "they must be the same to the patch level",
        ),
        ("activating", HELD, "", HELD.strip().rstrip(".")),
        ("activating", "other\n" + FENCE, "", FENCE.strip().rstrip(".")),
        ("inactive", "", "Connection refused", "its service ray is inactive"),
        (
            "active",
            "starting\n",
            "No route to host",
            "it cannot reach the head's Ray at 10.0.0.1:6379 (No route to host)",
        ),
        ("active", "one\n\ntwo\n  three\n", "", "its service ray is active and said last: two three"),
        ("active", "", "", "its service ray is active and said last: nothing"),
    ],
)
def test_the_likeliest_cause_is_told(why, state, log, away, sentence):
    assert why.reason(state, log, away, "10.0.0.1:6379") == sentence


def test_the_last_mismatch_counts(why):
    log = OTHER_PYTHON + OTHER_PYTHON.replace("3.11.4", "3.11.9")
    assert why.reason("activating", log, "", "").startswith("it has Ray 2.42.1 with Python 3.11.9,")


def test_a_head_is_reached_or_not(why):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert why.unreachable("127.0.0.1", port) == ""
    assert why.unreachable("127.0.0.1", port) == "Connection refused"
