# SPDX-License-Identifier: GPL-3.0-or-later
"""What the watchdog asks of the engine, of an endpoint that answers as vLLM does."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).resolve().parents[4] / "roles/vllm_serve/files"
METRICS = """# HELP vllm:num_requests_running Number of requests
vllm:num_requests_running{model_name="m"} 2.0
vllm:num_requests_waiting{model_name="m"} 1.0
vllm:prompt_tokens_total{model_name="m"} 70.0
vllm:generation_tokens_total{model_name="m"} 30.0
vllm:generation_tokens_total{model_name="other"} 12.0
vllm:time_to_first_token_seconds_sum{model_name="m"} 3.5
"""


class Endpoint:
    """Answers at once."""

    text, status = " Paris.", 200

    def __call__(self, method, path, headers, sent):
        if path == "/metrics":
            return 200, METRICS.encode()
        assert headers["Authorization"] == "Bearer sk-planted"
        usage = {"prompt_tokens": 5, "completion_tokens": 16, "prompt_tokens_details": None}
        answer = {"choices": [{"index": 0, "text": self.text}], "usage": usage}
        return self.status, json.dumps(answer).encode()


@pytest.fixture(name="endpoint")
def an_endpoint():
    """Tests change its attributes."""
    return Endpoint()


@pytest.fixture(name="engine")
def a_client(load, serve, endpoint, tmp_path):
    """The watchdog's side of it."""
    key = tmp_path / "vllm.env"
    key.write_text('VLLM_API_KEY="sk-planted"\n')
    questions = tmp_path / "canary.json"
    questions.write_text(
        json.dumps(
            {
                "url": serve(endpoint),
                "model": "m",
                "key_file": str(key),
                "facts": [{"prompt": "The capital of France is", "expect": ["Paris"]}] * 4,
                "fingerprint": {"about": {"model": "m", "shape": "TP 1 x PP 2"}},
            }
        )
    )
    settings = {"unit": "vllm", "questions": str(questions), "programs": str(PROGRAMS), "canary_timeout": 0.5}
    return load("watchdog/engine.py").Engine(settings)


def asked(engine, number):
    """The answer to the question that was asked at that time."""
    engine.ask(number)
    deadline = time.monotonic() + 30
    while engine.canary is None or engine.canary["asked"] != number:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return engine.canary["trouble"]


def test_counters_are_summed_over_models(engine):
    deadline = time.monotonic() + 30
    while engine.metrics is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert engine.metrics == {"generated": 42.0, "prompt": 70.0, "running": 2.0, "waiting": 1.0}
    assert engine.about() == {"model": "m", "shape": "TP 1 x PP 2"}


def test_a_right_answer_is_no_trouble_and_its_tokens_are_the_watchdogs_own(engine):
    assert asked(engine, 1) is None
    assert engine.take_own() == {"generated": 16, "prompt": 5}
    assert engine.take_own() == {"generated": 0, "prompt": 0}


def test_a_wrong_answer_a_refusal_and_silence_are_told_apart(engine, endpoint):
    endpoint.text = " Rome."
    assert "and a right answer has Paris" in asked(engine, 1)
    endpoint.status = 500
    assert "500" in asked(engine, 2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        path = Path(engine.settings["questions"])
        questions = json.loads(path.read_text())
        path.write_text(json.dumps({**questions, "url": f"http://127.0.0.1:{silent.getsockname()[1]}"}))
        assert asked(engine, 3).startswith("no answer")


def test_metrics_that_break_off_are_none_and_are_asked_for_again(engine):
    path = Path(engine.settings["questions"])
    questions = json.loads(path.read_text())
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(30)
        path.write_text(json.dumps({**questions, "url": f"http://127.0.0.1:{other.getsockname()[1]}"}))
        for dummy in range(2):
            link, dummy2 = other.accept()
            with link:
                link.recv(65536)
                link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nvllm")


def test_what_is_no_metrics_of_an_engine_is_an_error(load):
    with pytest.raises(ValueError, match="no metrics of vLLM"):
        load("watchdog/engine.py").read_metrics("python_info 1.0\n")
