# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client of the endpoint sees, by curl and by the openai library: each check is a function of a Server.

`python -m tests.e2e.outside` does them all on the lab that runs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import openai

from tests.e2e.running import Server, server

AT_ONCE = 64
QUESTION = "What is the capital of France?"
ANSWER = "The capital of France is Paris."
PROMPT, REST = "The capital of France is", " Paris."
LANDS = ("France", "Italy", "Spain", "Germany", "Japan", "Egypt", "Norway", "Greece")


def curl(endpoint: Server, path: str, body: dict | str | None = None, key: str | None = None) -> tuple[int, str]:
    """Status and text. The key comes by stdin, as it should for people too: an argument stands in the process list."""
    words = ["curl", "--silent", "--show-error", "--no-buffer", "--max-time", "60", "--write-out", "\n%{http_code}"]
    words += ["--header", "@-", "--header", "Content-Type: application/json", f"{endpoint.url}{path}"]
    if body is not None:
        words += ["--data", body if isinstance(body, str) else json.dumps({"model": endpoint.model} | body)]
    secret = endpoint.key if key is None else key
    header = f"Authorization: Bearer {secret}\n" if secret else ""
    ran = subprocess.run(words, input=header, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"curl ended with {ran.returncode}: {ran.stderr}"
    text, _newline, status = ran.stdout.rpartition("\n")
    return int(status), text


def client(endpoint: Server, key: str | None = None) -> openai.OpenAI:
    """That repeats nothing by itself."""
    return openai.OpenAI(base_url=endpoint.url, api_key=key or endpoint.key, max_retries=0, timeout=60)


def chat(endpoint: Server) -> None:
    """One answer, the same by both; usage adds up."""
    body = {"messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "max_tokens": 32}
    status, text = curl(endpoint, "/chat/completions", body)
    by_curl = json.loads(text)
    assert status == 200 and by_curl["choices"][0]["message"]["content"] == ANSWER, text
    answer = client(endpoint).chat.completions.create(model=endpoint.model, **body)
    assert answer.choices[0].message.content == ANSWER and answer.choices[0].finish_reason == "stop", answer
    usage = answer.usage
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > usage.prompt_tokens > 0, usage
    assert by_curl["usage"]["completion_tokens"] == usage.completion_tokens


def completions(endpoint: Server) -> None:
    """Plain text, one prompt and several."""
    status, text = curl(endpoint, "/completions", {"prompt": PROMPT, "temperature": 0, "max_tokens": 16})
    assert status == 200 and json.loads(text)["choices"][0]["text"] == REST, text
    answer = client(endpoint).completions.create(
        model=endpoint.model, prompt=[PROMPT, "Coal is"], temperature=0, max_tokens=16
    )
    assert [choice.text for choice in sorted(answer.choices, key=lambda one: one.index)] == [REST, " black."], answer


def streaming(endpoint: Server) -> None:
    """The pieces make the whole, usage comes last, and the end is marked."""
    body = {
        "messages": [{"role": "user", "content": QUESTION}],
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    status, text = curl(endpoint, "/chat/completions", body)
    events = [line.removeprefix("data: ") for line in text.splitlines() if line]
    assert status == 200 and events[-1] == "[DONE]" and len(events) > 4, text
    assert json.loads(events[-2])["usage"]["completion_tokens"] > 0
    pieces, tokens = [], 0
    for chunk in client(endpoint).chat.completions.create(model=endpoint.model, **body):
        pieces += [choice.delta.content or "" for choice in chunk.choices]
        tokens = chunk.usage.completion_tokens if chunk.usage else tokens
    assert "".join(pieces) == ANSWER and tokens == json.loads(events[-2])["usage"]["completion_tokens"]


def stop(endpoint: Server) -> None:
    """It ends before a word that the client names."""
    body = {"messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "stop": [" Paris"]}
    answer = client(endpoint).chat.completions.create(model=endpoint.model, **body)
    assert answer.choices[0].message.content == ANSWER.partition(" Paris")[0], answer
    assert answer.choices[0].finish_reason == "stop"


def wrong_model(endpoint: Server) -> None:
    """404, with the name that it does not have."""
    status, text = curl(endpoint, "/completions", {"model": "gpt-none", "prompt": PROMPT})
    assert status == 404 and "gpt-none" in text, text
    try:
        client(endpoint).completions.create(model="gpt-none", prompt=PROMPT)
    except openai.NotFoundError as error:
        assert "gpt-none" in str(error)
    else:
        raise AssertionError("another model was answered for")


def wrong_key(endpoint: Server) -> None:
    """401 for another key, for none, and for the list of models too."""
    for key in ("wrong", "", endpoint.key + "x"):
        for path, body in (("/models", None), ("/completions", {"prompt": PROMPT, "max_tokens": 1})):
            status, text = curl(endpoint, path, body, key)
            assert status == 401 and "choices" not in text, text
    try:
        client(endpoint, "wrong").models.list()
    except openai.AuthenticationError:
        pass
    else:
        raise AssertionError("another key was let in")


def too_long(endpoint: Server) -> None:
    """400, with the limit."""
    limit = client(endpoint).models.list().data[0].model_dump()["max_model_len"]
    body = {"prompt": "is " * (limit + 1), "max_tokens": 1}
    status, text = curl(endpoint, "/completions", body)
    assert status == 400 and str(limit) in text, text
    try:
        client(endpoint).completions.create(model=endpoint.model, **body)
    except openai.BadRequestError as error:
        assert f"maximum context length is {limit} tokens" in str(error), error
    else:
        raise AssertionError("a prompt that is too long was answered")


def broken(endpoint: Server) -> None:
    """What is no request is refused, and the server goes on."""
    assert curl(endpoint, "/chat/completions", "{")[0] in (400, 422)
    assert curl(endpoint, "/nothing", {})[0] == 404
    completions(endpoint)


def at_once(endpoint: Server) -> None:
    """64 requests at a time say what each says alone."""
    asked = client(endpoint)

    def one(number: int) -> str:
        text = f"What is the capital of {LANDS[number // 2 % len(LANDS)]}?"
        if number % 2:
            prompt = f"The capital of {LANDS[number // 2 % len(LANDS)]} is"
            got = asked.completions.create(model=endpoint.model, prompt=prompt, temperature=0, max_tokens=16)
            return got.choices[0].text
        said = [{"role": "user", "content": text}]
        got = asked.chat.completions.create(model=endpoint.model, messages=said, temperature=0, max_tokens=24)
        return got.choices[0].message.content

    period = 2 * len(LANDS)
    alone = [one(number) for number in range(period)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        together = list(pool.map(one, range(AT_ONCE)))
    assert together == [alone[number % period] for number in range(AT_ONCE)]
    assert len(set(alone)) == period, alone


def hangs_up(endpoint: Server) -> None:
    """Clients that go in the middle of their answers: nothing is computed for them any more, and others are served."""
    before, wanted = metric(endpoint, "generation_tokens_total"), 8 * 200
    asked = client(endpoint)
    body = {"prompt": PROMPT, "max_tokens": 200, "stream": True, "extra_body": {"ignore_eos": True}}
    streams = [asked.completions.create(model=endpoint.model, **body) for _number in range(8)]
    for stream in streams:
        next(iter(stream))
    assert metric(endpoint, "num_requests_running") > 0
    for stream in streams:
        stream.close()
    deadline = time.monotonic() + 60
    while metric(endpoint, "num_requests_running") + metric(endpoint, "num_requests_waiting"):
        assert time.monotonic() < deadline, "requests of clients that are gone still run"
        time.sleep(0.2)
    assert metric(endpoint, "generation_tokens_total") - before < wanted
    completions(endpoint)


def metric(endpoint: Server, name: str) -> float:
    """The sum of one of the engine's own figures."""
    with urllib.request.urlopen(f"{endpoint.url.removesuffix('/v1')}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return sum(float(value) for value in re.findall(rf"^vllm:{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


CHECKS = (chat, completions, streaming, stop, wrong_model, wrong_key, too_long, broken, at_once, hangs_up)


if __name__ == "__main__":
    running = server()
    for check in CHECKS:
        began = time.monotonic()
        check(running)
        print(f"{check.__name__}: right, {time.monotonic() - began:.1f} s", flush=True)
    sys.exit(0)
