# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask an OpenAI endpoint for tokens: `once`, `wait --timeout S` or `verify`.

Address, model and the file with VLLM_API_KEY come from the environment; the key
is read here and never is an argument.
"""
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request

URL, MODEL = os.environ["PROBE_URL"], os.environ["PROBE_MODEL"]
PROMPT = "Say in one sentence what a GH200 is."


def main(mode, *rest):
    if mode == "once":
        return None if attempt() is None else 1
    if mode == "wait":
        return wait(float(rest[1]))
    return verify()


def attempt():
    """None when a token came, else a sentence why not."""
    try:
        tokens = sum(count for dummy, count in stream(key(), 1))
    except (OSError, ValueError) as error:
        return f"{URL} gave no token: {error}."
    return None if tokens else f"{URL} answered without a token."


def wait(timeout):
    deadline = time.monotonic() + timeout
    while (trouble := attempt()) is not None:
        state = unit("ActiveState")
        if state == "failed":
            return f"vLLM ended before its first token. Its last words: {last_words()}. See `journalctl -u vllm`."
        if time.monotonic() > deadline:
            return f"{trouble} That was for {timeout:.0f} s; vLLM is {state}, its last words: {last_words()}. See `journalctl -u vllm`."
        print(last_words(), flush=True)
        time.sleep(2)
    print("the first token has come")
    return None


def verify():
    """Tokens with the key, 401 without it."""
    started, first, text, tokens = time.monotonic(), None, "", 0
    try:
        for piece, count in stream(key(), 32):
            first = first or time.monotonic() - started
            text, tokens = text + piece, tokens + count
    except (OSError, ValueError) as error:
        return f"{URL}/v1/chat/completions gave no completion of {MODEL}: {error}. See `journalctl -u vllm`."
    if not tokens:
        return f"{URL}/v1/chat/completions ended without a token of {MODEL}. See `journalctl -u vllm`."
    try:
        list(stream(None, 1))
        return f"{URL} answers without the API key: set vllm_serve_api_key."
    except urllib.error.HTTPError as error:
        if error.code != 401:
            return f"{URL} answers {error.code} without the API key, wanted is 401."
    print(f"{MODEL}: {tokens} tokens streamed, the first after {first:.2f} s, all after {time.monotonic() - started:.2f} s; without the key: 401")
    print(f"completion: {text!r}")
    return None


def stream(secret, tokens):
    """Pieces of text of one streamed chat completion, and with the last one the number of tokens that were generated."""
    body = {
        "model": MODEL, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": tokens, "temperature": 0, "ignore_eos": True,
        "stream": True, "stream_options": {"include_usage": True},
    }
    request = urllib.request.Request(f"{URL}/v1/chat/completions", json.dumps(body).encode(), {"Content-Type": "application/json"})
    if secret:
        request.add_header("Authorization", f"Bearer {secret}")
    with urllib.request.urlopen(request, timeout=120) as answer:
        for line in answer:
            if not line.startswith(b"data: ") or line.strip() == b"data: [DONE]":
                continue
            event = json.loads(line[6:])
            if "choices" not in event:
                raise ValueError(event.get("message") or str(event.get("error", event)))
            text = "".join(choice["delta"].get("content") or "" for choice in event["choices"])
            yield text, (event.get("usage") or {}).get("completion_tokens", 0)


def key():
    with open(os.environ["PROBE_KEY_FILE"], encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("VLLM_API_KEY="):
                return line.split("=", 1)[1].strip().strip('"')
    return None


def unit(what):
    return subprocess.run(["systemctl", "show", "vllm", "--value", "--property", what], capture_output=True, text=True, check=False).stdout.strip()


def last_words():
    got = subprocess.run(["journalctl", "--unit=vllm", "--lines=1", "--output=cat", "--no-pager"], capture_output=True, text=True, check=False)
    return got.stdout.strip()[:200] or "nothing yet"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
