# SPDX-License-Identifier: GPL-3.0-or-later
"""The canary believes right answers, and nothing else."""

from __future__ import annotations

import json

import pytest

KEY = "sk-planted"
FACTS = [
    {"prompt": "The capital of France is", "expect": ["Paris"]},
    {"prompt": "Two and two are", "expect": ["four", "4"]},
]
PASSAGE = "A ship left the harbour"


def event(text="", tokens=0, choices=True):
    """One line of a stream."""
    content = {
        "choices": [{"delta": {"content": text}}] if choices else [],
        "usage": {"completion_tokens": tokens} if tokens else None,
    }
    return f"data: {json.dumps(content)}\n\n".encode()


TOKENS = event("Hello") + event(" there") + event(tokens=2, choices=False) + b": comment\n\ndata: [DONE]\n\n"


class Endpoint:
    """What an engine answers; tests change its attributes."""

    def __init__(self):
        self.texts = {"The capital of France is": " Paris.", "Two and two are": " FOUR."}
        self.logprobs = [-1.0, -2.0, -3.0]
        self.chat = TOKENS
        self.needs_key = True
        self.refusal = 401
        self.down = 0
        self.bodies = []

    def __call__(self, method, path, headers, sent):
        body = json.loads(sent)
        self.bodies.append(body)
        if self.down:
            self.down -= 1
            return 503, b"{}"
        if headers.get("Authorization") != f"Bearer {KEY}" and self.needs_key:
            return self.refusal, b"{}"
        if path == "/v1/chat/completions":
            return 200, self.chat
        if "prompt_logprobs" in body:
            listed = [None] + [{"7": {"logprob": value}} for value in self.logprobs]
            return 200, json.dumps({"choices": [{"index": 0, "prompt_logprobs": listed}]}).encode()
        prompts = [body["prompt"]] if isinstance(body["prompt"], str) else body["prompt"]
        # An engine may answer in any order: the index counts.
        choices = [{"index": number, "text": self.texts[prompt]} for number, prompt in enumerate(prompts)]
        return 200, json.dumps({"choices": choices[::-1]}).encode()


@pytest.fixture(name="endpoint")
def answering_endpoint():
    return Endpoint()


@pytest.fixture(name="settings")
def canary_settings(serve, endpoint, tmp_path):
    (tmp_path / "env").write_text(f'OTHER=1\nVLLM_API_KEY="{KEY}"\n', encoding="utf-8")
    about = {"model": "dsr1", "revision": "abc", "engine": "vllm-0.7.2", "shape": "TP 4 x PP 4"}
    return {
        "url": serve(endpoint),
        "model": "dsr1",
        "key_file": str(tmp_path / "env"),
        "user": "ubuntu",
        "python": "/bin/false",
        "ranks": {},
        "question": "Who?",
        "facts": FACTS,
        "passage": PASSAGE,
        "starts": str(tmp_path / "starts" / "dsr1.json"),
        "fingerprint": {
            "value": None,
            "tolerance": 0.05,
            "record": str(tmp_path / "records" / "dsr1.json"),
            "about": about,
        },
    }


@pytest.fixture(name="canary")
def program(load, settings, monkeypatch, tmp_path):
    """canary(mode, ..): the sentence that the program ends with, or None."""
    module = load("vllm_serve/canary.py")
    monkeypatch.setattr(module, "unit", lambda what: "0" if "Timestamp" in what else "active")
    monkeypatch.setattr(module, "last_words", lambda: "loading shard 3")
    monkeypatch.setattr(module.loading, "journal", lambda unit: ["Starting to load model /m..."])
    monkeypatch.setattr(module, "check_ranks", lambda settings: "ranks: alike")
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)

    def run(*arguments):
        path = tmp_path / "canary.json"
        path.write_text(json.dumps(settings), encoding="utf-8")
        return module.main(str(path), *arguments)

    run.module = module
    return run


def test_right_answers_are_believed_in_one_request(canary, endpoint):
    assert canary("once") is None
    (body,) = endpoint.bodies
    assert body["prompt"] == [fact["prompt"] for fact in FACTS] and body["temperature"] == 0 and body["model"] == "dsr1"


def test_a_wrong_answer_is_named_with_its_causes(canary, endpoint):
    endpoint.texts["Two and two are"] = " five."
    sentence = canary("once")
    assert (
        "completes 'Two and two are' with 'five.'" in sentence
        and "four or 4" in sentence
        and "Likely causes, in this order" in sentence
    )


def test_tokens_without_sense_are_no_life(canary, endpoint):
    endpoint.texts = dict.fromkeys(endpoint.texts, "")
    assert "serves wrong text" in canary("once")


def test_no_answer_is_a_sentence(canary, endpoint):
    endpoint.down = 9
    assert "gave no answer: HTTP Error 503" in canary("once")


def test_the_first_start_records_the_fingerprint(canary, settings, tmp_path):
    assert canary("wait", "60") is None
    kept = json.loads((tmp_path / "records" / "dsr1.json").read_text(encoding="utf-8"))
    assert kept["value"] == -2.0
    assert {name: kept[name] for name in settings["fingerprint"]["about"]} == settings["fingerprint"]["about"]


def test_a_later_start_in_another_shape_is_compared_with_the_record(canary, settings, endpoint):
    assert canary("wait", "60") is None
    settings["fingerprint"]["about"]["shape"] = "TP 8 x PP 2"
    endpoint.logprobs = [-1.1, -2.0, -3.0]
    assert canary("wait", "60") is None
    endpoint.logprobs = [-1.2, -2.0, -3.0]
    sentence = canary("wait", "60")
    assert (
        "-2.0667" in sentence
        and "-2.0000 recorded by vllm-0.7.2 as TP 4 x PP 4" in sentence
        and "wrong text" in sentence
    )


def test_a_known_fingerprint_counts_and_nothing_is_recorded(canary, settings, tmp_path):
    settings["fingerprint"]["value"] = -2.5
    assert "-2.5000 is right" in canary("wait", "60")
    assert not (tmp_path / "records").exists()


@pytest.mark.parametrize("value", [float("nan"), float("-inf")])
def test_a_fingerprint_that_is_no_number_is_wrong(canary, settings, endpoint, value):
    settings["fingerprint"]["value"] = -2.0
    endpoint.logprobs = [value]
    assert "serves wrong text" in canary("wait", "60")


def test_an_engine_without_log_probabilities_is_named(canary, endpoint):
    endpoint.logprobs = []
    assert "no log-probabilities" in canary("wait", "60")


def test_verify_shows_what_it_saw(canary, capsys):
    assert canary("verify") is None
    out = capsys.readouterr().out
    assert (
        "ranks: alike" in out and "dsr1: 2 tokens streamed" in out and "without the key: 401" in out and KEY not in out
    )
    assert out.splitlines()[-2:] == ["The capital of France is Paris.", "Two and two are FOUR."]


def test_verify_fails_where_nobody_asks_for_the_key(canary, endpoint):
    endpoint.needs_key = False
    assert "answers without the API key" in canary("verify")


def test_verify_names_another_refusal_than_401(canary, endpoint):
    endpoint.refusal = 403
    assert "answers 403 without the API key" in canary("verify")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "ended a chat without a token"),
        (b"data: [DONE]\n\n", "ended a chat without a token"),
        (event("text without a count"), "without a token"),
        (b'data: {"error": "x", "message": "broken"}\n\n', "gave no answer: broken"),
        (b"data: {broken\n\n", "gave no answer"),
    ],
)
def test_verify_wants_tokens_in_the_stream(canary, endpoint, answer, sentence):
    endpoint.chat = answer
    assert sentence in canary("verify")


def test_wait_shows_the_engines_words_until_it_answers(canary, endpoint, capsys):
    endpoint.down = 2
    assert canary("wait", "60") is None
    assert capsys.readouterr().out.splitlines()[:2] == ["Loading the model"] * 2


def test_wait_tells_what_is_left_by_earlier_starts_and_keeps_what_this_one_took(
    canary, endpoint, settings, monkeypatch, tmp_path
):
    began = canary.module.time.monotonic()
    monkeypatch.setattr(canary.module, "unit", lambda what: str(int(began * 1e6)) if "Timestamp" in what else "active")
    shown = tmp_path / "now.json"
    monkeypatch.setenv("GH200_PROGRESS", str(shown))
    told = []
    monkeypatch.setattr(canary.module.time, "sleep", lambda seconds: told.append(json.loads(shown.read_text("utf-8"))))
    endpoint.down = 1
    assert canary("wait", "60") is None
    (kept,) = json.loads((tmp_path / "starts" / "dsr1.json").read_text(encoding="utf-8"))
    assert set(kept) == {"Loading the model", canary.module.loading.CHECKING, "right"}
    kept = {"Loading the model": 5, canary.module.loading.CHECKING: 100, "right": 105}
    (tmp_path / "starts" / "dsr1.json").write_text(json.dumps([kept]), encoding="utf-8")
    endpoint.down = 1
    assert canary("wait", "60") is None
    assert "seconds_left" not in told[0] and told[1]["seconds_left"] == 100
    assert json.loads(shown.read_text(encoding="utf-8"))["seconds_left"] == 5


def test_wait_gives_up_with_what_was_seen_last(canary, endpoint):
    endpoint.down = 9
    sentence = canary("wait", "-1")
    assert "HTTP Error 503" in sentence and "vLLM is active" in sentence and "loading shard 3" in sentence


def test_wait_ends_at_once_when_vllm_has_failed(canary, endpoint, monkeypatch):
    endpoint.down = 9
    monkeypatch.setattr(canary.module, "unit", lambda what: "failed")
    assert canary("wait", "3600").startswith("vLLM ended before its first token. Its last words: loading shard 3.")


def test_what_nobody_listens_for_is_told_before_any_rank_is_asked(canary, settings, endpoint, monkeypatch, capsys):
    assert canary("serving") is None
    assert "the first after" in capsys.readouterr().out and endpoint.bodies
    settings["url"] = "http://127.0.0.1:9"
    monkeypatch.setattr(canary.module, "check_ranks", lambda settings: pytest.fail("asked"))
    assert "http://127.0.0.1:9 gave no answer: [Errno 111] Connection refused" in canary("serving")


def test_wait_compares_the_ranks_before_it_believes_an_answer(canary, monkeypatch):
    def differ(settings):
        raise canary.module.Wrong("The ranks were given different environments.")

    monkeypatch.setattr(canary.module, "check_ranks", differ)
    assert canary("wait", "60") == "The ranks were given different environments."


def test_a_file_without_a_key_sends_none(canary, settings, tmp_path):
    (tmp_path / "env").write_text("OTHER=1\n", encoding="utf-8")
    assert "401" in canary("once")
