# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role runs on the head, with guidellm itself, against an endpoint that wrote down the truth."""

from __future__ import annotations

import json
from collections import Counter

from tests.load_test.truth import FAULTS, SHAPES, Shape, Truth

SAID = {
    "refused": "HTTP 500 Internal Server Error",
    "error": "Streaming response returned an error: a rank is gone",
    "hangs up": "peer closed connection without sending complete message body (incomplete chunked read)",
}


def test_the_figures_are_the_truth_and_progress_is_told(measure, tmp_path):
    with Truth(SHAPES + FAULTS) as truth:
        said, result, printed = measure(truth, concurrencies=[1, 8], requests=3, warm_up=True)
        assert truth.idle()
    assert said == "", said + printed
    # The warm-up comes first, and is in no figure.
    counted = truth.truth[8:]
    good = [answer for answer in counted if answer.outcome == "whole"]
    runs = result["runs"]
    assert [(run["concurrency"], run["repeat"], run["requests"]) for run in runs] == [(1, 1, 3), (8, 1, 24)]
    assert sum(run["completed"] for run in runs) == len(good)
    assert sum(run["output_tokens"] for run in runs) == sum(answer.shape.tokens for answer in good)
    assert sum(run["prompt_tokens"] for run in runs) == sum(answer.prompt_tokens for answer in good)
    assert sum(run["chunks"] for run in runs) == sum(answer.shape.chunks for answer in good)
    told = Counter()
    for error in (error for run in runs for error in run["errors"]):
        told[error["text"]] += error["count"]
    assert told == Counter(SAID[answer.outcome] for answer in counted if answer.outcome != "whole")
    progress = json.loads((tmp_path / "progress.json").read_text(encoding="utf-8"))
    assert progress == {"what": "8 at once, run 1 of 1", "step": 2, "steps": 2}


def test_what_is_asked_for_and_no_prompt_twice(measure):
    # The server says nothing before both are there.
    with Truth(together=2) as truth:
        said, result, printed = measure(truth, concurrencies=[2], requests=3, repeats=2)
    assert said == "", said + printed
    asked = [answer.request for answer in truth.truth]
    assert {(one["model"], one["max_completion_tokens"], one["ignore_eos"]) for one in asked} == {("truth", 12, True)}
    assert len({json.dumps(one["messages"]) for one in asked}) == len(asked) == 12
    assert truth.most == 2
    assert result["asked"]["repeats"] == 2 and [run["repeat"] for run in result["runs"]] == [1, 2]


def test_an_answer_without_usage_is_an_error_and_no_count(measure):
    with Truth((Shape(8, 3, fails="no usage"),)) as truth:
        said, result, printed = measure(truth, concurrencies=[2], requests=1)
    assert said == "", said + printed
    (run,) = result["runs"]
    assert run["errors"] == [{"text": "the answer has no usage, so its tokens are not known", "count": 2}]


def test_a_wrong_key_another_model_and_nobody_there_are_one_sentence(measure):
    with Truth() as truth:
        assert measure(truth, key="another")[:2] == (
            f"{truth.url}/v1/models answers 401: is load_test_api_key that of this endpoint?",
            None,
        )
        said = measure(truth, model="other")[0]
        assert said == f"{truth.url} serves truth, and other was to be tested: set load_test_model."
    said = measure(truth)[0]
    assert said.startswith(f"{truth.url}/v1/models gave no answer (") and said.endswith("See `journalctl -u vllm`.")
    assert truth.truth == []


def test_a_generator_that_fails_is_one_sentence(measure, tmp_path):
    with Truth() as truth:
        said, result, printed = measure(truth, tokenizer=str(tmp_path / "nothing"))
    assert result is None and "Traceback" not in said + printed
    assert said.startswith(f"guidellm failed with 8 requests at once at {truth.url}: OSError: ")
