# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe believes tokens, and nothing else."""

from __future__ import annotations

import json

import pytest

KEY = "sk-planted"


def event(text="", tokens=0, choices=True):
    """One line of a stream."""
    content = {"choices": [{"delta": {"content": text}}] if choices else [], "usage": {"completion_tokens": tokens} if tokens else None}
    return f"data: {json.dumps(content)}\n\n".encode()


TOKENS = event("Hello") + event(" there") + event(tokens=2, choices=False) + b": comment\n\ndata: [DONE]\n\n"


@pytest.fixture(name="probe")
def program(load, serve, monkeypatch, tmp_path):
    """probe(answer): the program, against a server that gives this body, or what answer(headers, body) returns."""
    (tmp_path / "env").write_text(f'OTHER=1\nVLLM_API_KEY="{KEY}"\n', encoding="utf-8")
    monkeypatch.setenv("PROBE_MODEL", "dsr1")
    monkeypatch.setenv("PROBE_KEY_FILE", str(tmp_path / "env"))

    def probe(answer=TOKENS, needs_key=True):
        def respond(method, path, headers, body):
            if path != "/v1/chat/completions":
                return 404, b"{}"
            if needs_key and headers.get("Authorization") != f"Bearer {KEY}":
                return 401, b"{}"
            return (200, answer) if isinstance(answer, bytes) else answer(headers, body)

        monkeypatch.setenv("PROBE_URL", serve(respond))
        module = load("vllm_serve/probe.py")
        monkeypatch.setattr(module, "unit", lambda what: "active")
        monkeypatch.setattr(module, "last_words", lambda: "loading shard 3")
        monkeypatch.setattr(module.time, "sleep", lambda seconds: None)
        return module

    return probe


def test_tokens_are_believed(probe):
    assert probe().main("once") is None


@pytest.mark.parametrize("answer", [
    b"", b"data: [DONE]\n\n", event("text without a count"), b"data: {\"error\": {\"message\": \"broken\"}}\n\n", b"data: {broken\n\n", b"<html>ok</html>",
])
def test_an_answer_without_tokens_is_no_life(probe, answer):
    assert probe(answer).main("once") == 1


def test_the_request_is_a_streamed_chat_with_the_key(probe):
    seen = []
    assert probe(lambda headers, body: seen.append((headers["Authorization"], json.loads(body))) or (200, TOKENS)).main("once") is None
    (authorization, body), = seen
    assert authorization == f"Bearer {KEY}" and body["model"] == "dsr1" and body["stream"] is True and body["max_tokens"] == 1


def test_verify_reports_text_count_and_the_refusal(probe, capsys):
    assert probe().main("verify") is None
    out = capsys.readouterr().out
    assert "dsr1: 2 tokens streamed" in out and "without the key: 401" in out and "completion: 'Hello there'" in out and KEY not in out


def test_verify_fails_where_nobody_asks_for_the_key(probe):
    assert "answers without the API key" in probe(needs_key=False).main("verify")


def test_verify_names_another_refusal_than_401(probe):
    module = probe(lambda headers, body: (200, TOKENS) if headers.get("Authorization") else (403, b""), needs_key=False)
    assert "answers 403 without the API key" in module.main("verify")


def test_verify_tells_the_engines_own_error(probe):
    assert "gave no completion of dsr1: broken" in probe(b'data: {"error": "x", "message": "broken"}\n\n').main("verify")
    assert "ended without a token" in probe(b"data: [DONE]\n\n").main("verify")


def test_wait_ends_with_the_first_token(probe, capsys):
    answers = [(503, b""), (200, b""), (200, TOKENS)]
    assert probe(lambda headers, body: answers.pop(0)).main("wait", "--timeout", "60") is None
    assert capsys.readouterr().out.splitlines() == ["loading shard 3", "loading shard 3", "the first token has come"]


def test_wait_gives_up_with_what_was_seen_last(probe):
    sentence = probe(lambda headers, body: (503, b"")).main("wait", "--timeout", "-1")
    assert "gave no token: HTTP Error 503" in sentence and "vLLM is active" in sentence and "loading shard 3" in sentence


def test_wait_ends_at_once_when_vllm_has_failed(probe, monkeypatch):
    module = probe(lambda headers, body: (503, b""))
    monkeypatch.setattr(module, "unit", lambda what: "failed")
    assert module.main("wait", "--timeout", "3600").startswith("vLLM ended before its first token.")


def test_a_file_without_a_key_sends_none(probe, tmp_path):
    (tmp_path / "env").write_text("OTHER=1\n", encoding="utf-8")
    module = probe()
    assert module.key() is None and module.main("once") == 1
