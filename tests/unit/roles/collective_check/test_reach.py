# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node reaches which, said by every node alike."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[4] / "roles/collective_check/files"
NODES = {"n1": "127.0.0.1", "n2": "127.0.0.2", "n3": "127.0.0.3"}
PROGRAM = (
    "import json, sys; import reach; print(json.dumps(reach.check(json.loads(sys.argv[1]), *map(float, sys.argv[2:]))))"
)


@pytest.fixture(name="reach")
def program(load):
    return load("collective_check/reach.py")


@pytest.fixture(name="port")
def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture(name="together")
def processes_at_the_same_time(port):
    """together(names, reach_for, collect_for): what each of these nodes says, by name; they start `apart` seconds."""

    def together(names, reach_for, collect_for, nodes=None, apart=0):
        started = {}
        for name in names:
            time.sleep(apart if started else 0)
            settings = {"nodes": nodes or NODES, "head": "n1", "me": name, "port": port, "timeout": 60}
            command = [sys.executable, "-c", PROGRAM, json.dumps(settings), str(reach_for), str(collect_for)]
            started[name] = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": str(FOLDER), "PYTHONDONTWRITEBYTECODE": "1"},
            )
        return {name: json.loads(process.communicate(timeout=120)[0]) for name, process in started.items()}

    return together


def test_nodes_that_reach_each_other_have_nothing_to_say(together):
    assert together(NODES, 20, 20) == dict.fromkeys(NODES)


def test_a_node_that_is_not_there_is_named_by_all_others(together):
    # The head begins last, and is heard all the same.
    said = together(["n2", "n1"], 10, 15, apart=3)
    assert said["n1"] == said["n2"]
    assert said["n1"].startswith(
        "n3 (127.0.0.3) cannot be reached by any other node: connection refused. All TCP ports must be open"
    )


def test_the_others_name_the_head_when_it_is_not_there(together):
    said = together(["n2", "n3"], 8, 9)
    assert said["n2"].startswith("n2 (127.0.0.2) cannot reach n1 (127.0.0.1): connection refused.")
    assert said["n3"].startswith("n3 (127.0.0.3) cannot reach n1 (127.0.0.1): connection refused.")


def test_another_program_on_the_port_is_no_node(together, port):
    with socket.create_server(("127.0.0.2", port)) as listener:
        listener.settimeout(0.1)
        said = together(["n1"], 2, 2, {"n1": "127.0.0.1", "n2": "127.0.0.2"})
    assert said["n1"].startswith("n1 (127.0.0.1) cannot reach n2 (127.0.0.2): timed out")


def test_a_port_in_use_is_a_sentence(reach, port):
    settings = {"nodes": NODES, "head": "n1", "me": "n2", "port": port, "timeout": 1}
    with (
        socket.create_server(("127.0.0.2", port)),
        pytest.raises(OSError, match=r"n2 \(127.0.0.2\) cannot listen on port .* in use"),
    ):
        reach.check(settings, 1, 1)


@pytest.mark.parametrize(
    ("reports", "words"),
    [
        ({"n1": {}, "n2": {}, "n3": {}}, None),
        (
            {"n1": {}, "n2": {"n3": "timed out"}, "n3": {"n2": "timed out"}},
            "n2 (127.0.0.2) and n3 (127.0.0.3) cannot reach each other: timed out. All",
        ),
        ({"n1": {}, "n2": {"n3": "timed out"}, "n3": {}}, "n2 (127.0.0.2) cannot reach n3 (127.0.0.3): timed out. All"),
        ({"n1": {}, "n2": {}}, "n3 (127.0.0.3) is reached, and does not report what it reaches. All"),
        (
            {"n1": {"n3": "refused"}, "n2": {"n3": "refused"}},
            "n3 (127.0.0.3) cannot be reached by any other node: refused. All",
        ),
        ({"n1": {"n3": "refused"}, "n2": {}}, "n1 (127.0.0.1) cannot reach n3 (127.0.0.3): refused. All"),
        (
            {"n1": {"n2": "x", "n3": "y"}, "n2": {}, "n3": {}},
            "n1 (127.0.0.1) cannot reach n2 (127.0.0.2): x; n1 (127.0.0.1) cannot reach n3 (127.0.0.3): y. All",
        ),
    ],
)
def test_the_sentence_names_the_pairs(reach, reports, words):
    said = reach.sentence(NODES, reports)
    assert said is None if words is None else said.startswith(words)


def test_a_sentence_does_not_name_hundreds_of_pairs(reach):
    nodes = {f"n{number:02}": f"10.0.0.{number}" for number in range(16)}
    said = reach.sentence(nodes, {one: {other: "timed out" for other in nodes if other != one} for one in nodes})
    assert said.count("each other") == 6 and "; and 114 more. " in said


def test_the_last_attempt_is_cut_short_and_does_not_hide_the_reason(reach, port):
    settings = {"nodes": NODES, "head": "n1", "me": "n1", "port": port}
    assert reach.probe_all(settings, time.monotonic() + 0.5) == {"n2": "connection refused", "n3": "connection refused"}


def test_a_port_of_the_systems_choice_must_be_open_too(reach, port, monkeypatch):
    asked = []

    def ask(settings, name, deadline):
        asked.append(settings["port"])
        if settings["port"] == 5:
            raise TimeoutError("timed out")
        return {"free": 5}

    monkeypatch.setattr(reach, "ask", ask)
    settings = {"nodes": {"n1": "127.0.0.1", "n2": "127.0.0.2"}, "me": "n1", "port": port}
    assert reach.probe_all(settings, time.monotonic() + 1) == {
        "n2": f"timed out at port 5, though it answers at {port}"
    }
    assert asked == [port, 5]
