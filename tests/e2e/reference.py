# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares what a server says with what transformers says: tokens and their log-probabilities.

`python -m tests.e2e.reference` does it on the lab that runs."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.e2e.running import REPOSITORY, Server, server

# Natural logarithms. In float32 two shapes of one engine differ by 0.00001; another choice of an expert by 0.1.
TOLERANCE = 1e-3
# Two tokens nearer than this are a tie, which any order of summation may decide: what follows is not compared.
TIE = 1e-4
AT_ONCE = 16


class Said(NamedTuple):
    """One answer of a server."""

    tokens: list[int]
    logprobs: list[float]
    text: str


class Report(NamedTuple):
    """Differences, a sentence each, and the greatest difference of a log-probability where the tokens are the same."""

    wrong: list[str]
    compared: int
    greatest: float


def load(path: Path | None = None) -> dict:
    """The answers of transformers; made where they are missing."""
    if path is None:
        made = subprocess.run(
            [sys.executable, "-m", "lab", "reference"], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True, check=True
        )
        path = Path(made.stdout.strip())
    return json.loads(path.read_text(encoding="utf-8"))


def rule(version: str) -> str:
    """How this engine values a group of experts: as DeepSeek does when it is later than 0.7.2, or was built with our
    change, which its version tells.
    """
    release, dummy, local = version.partition("+")
    later = tuple(int(part) for part in release.split(".")[:3] if part.isdigit()) > (0, 7, 2)
    return "sum" if later or "gh200" in local else "best"


def requests_of(item: dict, length: int) -> list[tuple[str, dict]]:
    """Path and body of each way to ask: a prompt as text, and as chat where it is one."""
    common = {"temperature": 0, "max_tokens": length, "ignore_eos": item["kind"] == "odd"}
    asked = [("/completions", common | {"prompt": item["prompt"], "logprobs": 1})]
    if item.get("question"):
        messages = [{"role": "user", "content": item["question"]}]
        asked.append(("/chat/completions", common | {"messages": messages, "logprobs": True, "top_logprobs": 1}))
    return asked


def said(answer: dict) -> Said:
    """Of the body of a completion or a chat completion."""
    choice = answer["choices"][0]
    if "message" in choice:
        parts = choice["logprobs"]["content"]
        names, logprobs, text = (
            [part["token"] for part in parts],
            [part["logprob"] for part in parts],
            choice["message"]["content"],
        )
    else:
        names, logprobs, text = choice["logprobs"]["tokens"], choice["logprobs"]["token_logprobs"], choice["text"]
    return Said([int(name.removeprefix("token_id:")) for name in names], logprobs, text)


def difference(item: dict, got: Said) -> tuple[str, float]:
    """What is wrong, or nothing, and the greatest difference of a log-probability up to there."""
    greatest = 0.0
    for place, (token, logprob, margin) in enumerate(
        zip(item["tokens"], item["logprobs"], item["margins"], strict=True)
    ):
        if got.tokens[place : place + 1] != [token]:
            if margin < TIE:
                return "", greatest
            return (
                f"{item['prompt']!r}: token {place + 1} is {got.tokens[place : place + 1]} and not {token}: "
                f"{got.text!r}, not {item['text']!r}",
                greatest,
            )
        greatest = max(greatest, abs(got.logprobs[place] - logprob))
        if greatest > TOLERANCE:
            return (
                f"{item['prompt']!r}: token {place + 1} has log-probability {got.logprobs[place]:.5f}, "
                f"not {logprob:.5f}",
                greatest,
            )
    if len(got.tokens) != len(item["tokens"]):
        return f"{item['prompt']!r}: {len(got.tokens)} tokens, not {len(item['tokens'])}: {got.text!r}", greatest
    return "", greatest


def examine(endpoint: Server, answers: list[dict], length: int, at_once: int) -> Report:
    """Ask for all answers, so many at once. A request that fails is a difference too."""
    pairs = [(item, *asked) for item in answers for asked in requests_of(item, length)]

    def one(pair):
        item, path, body = pair
        try:
            return difference(item, said(endpoint.get(path, body)))
        except (OSError, KeyError, TypeError, ValueError) as error:
            return f"{item['prompt']!r}: no answer on {path}: {error!r}", 0.0

    with ThreadPoolExecutor(at_once) as pool:
        found = list(pool.map(one, pairs))
    return Report([wrong for wrong, dummy in found if wrong], len(found), max(greatest for dummy, greatest in found))


def fingerprint(endpoint: Server, passage: str) -> float:
    """Mean log-probability of the passage's tokens, from the second on."""
    answer = endpoint.get(
        "/completions", {"prompt": passage, "max_tokens": 1, "temperature": 0, "echo": True, "logprobs": 1}
    )
    return mean(answer["choices"][0]["logprobs"]["token_logprobs"][:-1])


def mean(logprobs: list[float | None]) -> float:
    """The first token has none, for nothing stands before it."""
    assert logprobs[0] is None and None not in logprobs[1:], logprobs
    return sum(logprobs[1:]) / len(logprobs[1:])


def check(endpoint: Server, reference: dict) -> list[str]:
    """All prompts one after another and 16 at once, and the passage; prints figures, returns what is wrong."""
    version = endpoint.version()
    expected = reference["rules"][rule(version)]
    wrong = []
    for at_once in (1, AT_ONCE):
        report = examine(endpoint, expected["answers"], reference["tokens"], at_once)
        print(
            f"vLLM {version}, rule {rule(version)}, {at_once} at once: "
            f"{report.compared - len(report.wrong)} of {report.compared} answers are those of "
            f"transformers {reference['versions']['transformers']}, log-probabilities within {report.greatest:.6f}",
            flush=True,
        )
        wrong += [f"{at_once} at once: {sentence}" for sentence in report.wrong]
    mark = fingerprint(endpoint, reference["passage"])
    print(f"fingerprint {mark:.5f}, expected {expected['fingerprint']:.5f}", flush=True)
    if abs(mark - expected["fingerprint"]) > TOLERANCE:
        wrong.append(f"the fingerprint is {mark:.5f}, not {expected['fingerprint']:.5f}")
    return wrong


if __name__ == "__main__":
    sys.exit("\n".join(check(server(), load())) or None)
