# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watchdog tells over HTTP, and from whom it takes a word."""

from __future__ import annotations

import http.client
import json
import socket

import pytest


@pytest.fixture(name="ask")
def a_listener(load):
    """ask(method, path, body=None, address=..): status and JSON. `ask.known` is what is told, `ask.said` what came."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    known, said = {"ready": True, "phase": "ready"}, []

    def take(name, body):
        said.append((name, body["start"]))
        return {"restart": None}

    load("watchdog/listen.py").serve(
        {"127.0.0.1", "127.0.0.2"}, port, {"r1-00": "127.0.0.1", "r1-01": "127.0.0.9"}, take, lambda: known
    )

    def ask(method, path, body=None, source="127.0.0.1"):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=10, source_address=(source, 0))
        link.request(method, path, body)
        answer = link.getresponse()
        return answer.status, json.loads(answer.read())

    ask.known, ask.said = known, said
    return ask


def test_ready_is_200_or_503_with_all_that_is_known(ask):
    assert ask("GET", "/ready") == (200, {"ready": True, "phase": "ready"})
    ask.known.update(ready=False, phase="healing")
    assert ask("GET", "/ready") == (503, {"ready": False, "phase": "healing"})
    assert ask("GET", "/")[0] == 200
    assert ask("GET", "/metrics")[0] == 404


def test_a_node_is_heard_from_its_own_address_alone(ask):
    body = json.dumps({"name": "r1-00", "start": "1"})
    assert ask("POST", "/report", body) == (200, {"restart": None})
    assert ask.said == [("r1-00", "1")]
    assert ask("POST", "/report", body, source="127.0.0.3")[0] == 403
    assert ask("POST", "/report", json.dumps({"name": "r1-01"}))[0] == 403
    assert ask("POST", "/report", json.dumps({"name": "r1-01", "start": "2"}), source="127.0.0.9")[0] == 200
    assert ask("POST", "/report", json.dumps({"name": "else"}))[0] == 403


@pytest.mark.parametrize("body", ["", "nothing", "[]", "{}", '{"name": ["r1-00"]}', '{"name": "r1-00"}', "x" * 70000])
def test_what_is_no_report_is_refused(ask, body):
    assert ask("POST", "/report", body)[0] in (400, 403)
    assert ask.said == []
