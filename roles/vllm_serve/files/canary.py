# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks the endpoint what it must know: canary.py SETTINGS once | wait SECONDS | right | verify | serving.

An engine that lost a layer answers at full speed with status 200, so a token proves nothing. Three things do:
the ranks were all given one environment (ranks.py), facts are completed rightly, and a fixed passage has the
mean log-probability that this model has. `serving` is `verify` of what may not be up yet. SETTINGS is a JSON
file without secrets; the key is read from its key_file.
"""

import json
import os
import subprocess
import sys
import time
import urllib.error

import loading
from endpoint import complete, key, stream
from starts import Starts

CAUSES = (
    "Likely causes, in this order: a shard that is damaged or of another revision (run "
    "playbooks/models.yml, it reads the manifest); "
    "weights or fixes that changed since the value was set (look at the record, and remove it if that is meant); "
    "facts that this model never knew (set vllm_serve_facts)."
)


def main(path, mode, *rest):
    """None when all is right, else one sentence."""
    with open(path, encoding="utf-8") as file:
        settings = json.load(file)
    try:
        if mode == "wait":
            wait(settings, float(rest[0]))
        elif mode == "once":
            check_facts(settings)
        elif mode == "right":
            check_right(settings)
            print(json.dumps(settings.get("asked", {})))
        else:
            if mode == "serving":
                loading.require_listener(settings["url"])
            verify(settings)
    except (Wrong, OSError, ValueError) as error:
        return (
            str(error)
            if isinstance(error, Wrong)
            else f"{settings['url']} gave no answer: {error}. See `journalctl -u vllm`."
        )
    return None


class Wrong(Exception):
    """What the endpoint answers is not what it must."""


def wait(settings, timeout):
    """Until it answers, bounded by `timeout` seconds; then the answers must be right."""
    deadline, earlier = time.monotonic() + timeout, Starts(settings["starts"])
    while True:
        try:
            complete(settings, settings["facts"][0]["prompt"], max_tokens=1)
            break
        except (OSError, ValueError) as error:
            state = unit("ActiveState")
            # systemd tries again, and so does the watchdog; whoever waits is told what the first try said.
            if state == "failed" or unit("SubState") == "auto-restart":
                raise Wrong(
                    f"vLLM ended before its first token. Its last words: {last_words()}. See `journalctl -u vllm`."
                ) from error
            if time.monotonic() > deadline:
                raise Wrong(
                    f"{settings['url']} gave no token within {timeout:.0f} s ({error}); vLLM is {state}, "
                    f"its last words: {last_words()}. See `journalctl -u vllm`."
                ) from error
        tell(loading.stage(loading.journal("vllm")), earlier)
        time.sleep(2)
    tell({"what": loading.CHECKING, "step": loading.STEPS, "steps": loading.STEPS}, earlier)
    check_right(settings)
    earlier.end(running())


def check_right(settings):
    """What every start must show."""
    check_ranks(settings)
    check_facts(settings)
    check_fingerprint(settings)


def tell(progress, earlier):
    """How far it is, and how long it will be by what earlier starts took."""
    left = earlier.left(progress["what"], running())
    loading.tell(progress if left is None else {**progress, "seconds_left": round(left)})


def running():
    """Seconds since the engine was started."""
    began = int(unit("ExecMainStartTimestampMonotonic") or 0) / 1e6
    return time.monotonic() - began


def verify(settings):
    """All of it, with a streamed chat, and a refusal without the key; shows what it saw."""
    print(check_ranks(settings))
    started, first, text, tokens = time.monotonic(), None, "", 0
    for piece, count in stream(settings, key(settings)):
        first = first or time.monotonic() - started
        text, tokens = text + piece, tokens + count
    if not tokens:
        raise Wrong(f"{settings['url']} ended a chat without a token of {settings['model']}. See `journalctl -u vllm`.")
    try:
        list(stream(settings, None))
        raise Wrong(f"{settings['url']} answers without the API key: set vllm_serve_api_key.")
    except urllib.error.HTTPError as error:
        if error.code != 401:
            raise Wrong(f"{settings['url']} answers {error.code} without the API key, wanted is 401.") from error
    took = time.monotonic() - started
    print(
        f"{settings['model']}: {tokens} tokens streamed, the first after {first:.2f} s, "
        f"all after {took:.2f} s; without the key: 401"
    )
    print(f"chat: {text.strip()!r}")
    print(check_fingerprint(settings))
    for prompt, answer in check_facts(settings):
        print(f"{prompt}{answer}")


def check_ranks(settings):
    """The line of ranks.py, run as the engine's user; Wrong with its sentence."""
    ranks = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ranks.py")
    command = ["runuser", "--user", settings["user"], "--", settings["python"], ranks, json.dumps(settings["ranks"])]
    got = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    )
    if got.returncode:
        raise Wrong((got.stderr.strip().splitlines() or ["ranks.py ended without a word"])[-1])
    return got.stdout.strip()


def check_facts(settings):
    """Prompts and answers, all of them right; one request."""
    facts = settings["facts"]
    choices = complete(settings, [fact["prompt"] for fact in facts], max_tokens=16)
    answers = [choice["text"] for choice in sorted(choices, key=lambda choice: choice["index"])]
    for fact, answer in zip(facts, answers, strict=False):
        if not any(word.lower() in answer.lower() for word in fact["expect"]):
            raise Wrong(
                f"{settings['model']} completes {fact['prompt']!r} with {answer.strip()!r}, "
                f"and a right answer has {' or '.join(fact['expect'])}: "
                f"it serves wrong text, though every rank was given one environment. {CAUSES}"
            )
    return [(fact["prompt"], answer) for fact, answer in zip(facts, answers, strict=False)]


def check_fingerprint(settings):
    """The line about it. The first run of a model without a known value records one."""
    wanted, value = settings["fingerprint"], fingerprint(settings)
    if wanted["value"] is None:
        kept = recorded(wanted)
        if kept is None:
            record(wanted, value)
            return f"fingerprint: {value:.4f}, recorded in {wanted['record']} for later starts"
        wanted = {
            **wanted,
            "value": kept["value"],
            "of": f" recorded by {kept['engine']} as {kept['shape']} in {wanted['record']}",
        }
    if not abs(value - wanted["value"]) <= wanted["tolerance"]:
        raise Wrong(
            f"{settings['model']} gives the fixed passage a mean log-probability of {value:.4f}, "
            f"and {wanted['value']:.4f}"
            f"{wanted.get('of', '')} is right (within {wanted['tolerance']}): it serves wrong text, "
            f"though it may still know facts. {CAUSES}"
        )
    return f"fingerprint: {value:.4f}, as it must be ({wanted['value']:.4f})"


def fingerprint(settings):
    """Mean log-probability, in nats, that the model gives the tokens of the passage after the first."""
    answer = complete(settings, settings["passage"], max_tokens=1, prompt_logprobs=0)[0]["prompt_logprobs"]
    values = [next(iter(token.values()))["logprob"] for token in answer if token]
    if not values:
        raise ValueError("it gives no log-probabilities of a prompt")
    return sum(values) / len(values)


def recorded(wanted):
    """What an earlier run recorded for this model revision and passage, or None."""
    try:
        with open(wanted["record"], encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def record(wanted, value):
    """Whole or not at all."""
    os.makedirs(os.path.dirname(wanted["record"]), exist_ok=True)
    with open(wanted["record"] + ".new", "w", encoding="utf-8") as file:
        json.dump(
            {"value": value, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **wanted["about"]},
            file,
            indent=1,
        )
    os.replace(wanted["record"] + ".new", wanted["record"])


def unit(what):
    """A property of the engine's unit."""
    command = ["systemctl", "show", "vllm", "--value", "--property", what]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def last_words():
    """Of the engine's last start."""
    return loading.last_words(loading.journal("vllm", 2000))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
