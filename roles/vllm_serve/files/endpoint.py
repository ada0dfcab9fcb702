# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to the endpoint, as the settings in canary.json name it; the key is read from its key_file."""

import json
import re
import urllib.request


def complete(settings, prompt, **options):
    """Choices of a completion at temperature 0."""
    body = {"model": settings["model"], "prompt": prompt, "temperature": 0, **options}
    with ask(settings, "completions", body, key(settings)) as answer:
        said = json.load(answer)
    # For those who count what others ask of the engine.
    for name, tokens in (said.get("usage") or {}).items():
        if isinstance(tokens, int):
            settings.setdefault("asked", {}).setdefault(name, 0)
            settings["asked"][name] += tokens
    return said["choices"]


def served(settings):
    """Name of the model that it serves now."""
    with ask(settings, "models", None, key(settings)) as answer:
        return json.load(answer)["data"][0]["id"]


def stream(settings, secret):
    """Pieces of text of one streamed chat completion, and with the last one the number of tokens generated."""
    body = {
        "model": settings["model"],
        "messages": [{"role": "user", "content": settings["question"]}],
        "max_tokens": 32,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    with ask(settings, "chat/completions", body, secret) as answer:
        for line in answer:
            if not line.startswith(b"data: ") or line.strip() == b"data: [DONE]":
                continue
            event = json.loads(line[6:])
            if "choices" not in event:
                raise ValueError(event.get("message") or str(event.get("error", event)))
            text = "".join(words(choice["delta"]) for choice in event["choices"])
            yield text, (event.get("usage") or {}).get("completion_tokens", 0)


def words(delta):
    """Of one chunk; what is thought comes under a name of its own, which changed with 0.12 or so."""
    return delta.get("content") or delta.get("reasoning_content") or delta.get("reasoning") or ""


def ask(settings, path, body, secret):
    """The open answer to a request, without a body to one that only looks; the key is no argument of any process."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{settings['url']}/v1/{path}", data, {"Content-Type": "application/json"})
    if secret:
        request.add_header("Authorization", f"Bearer {secret}")
    return urllib.request.urlopen(request, timeout=settings.get("timeout", 120))


def key(settings):
    """VLLM_API_KEY of the engine's environment file."""
    with open(settings["key_file"], encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("VLLM_API_KEY="):
                value = line.split("=", 1)[1].strip()
                return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
    return None
