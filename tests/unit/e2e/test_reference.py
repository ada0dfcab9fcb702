# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison with transformers' answers finds what differs, and only that."""

from __future__ import annotations

import re

import pytest

from tests.e2e import reference
from tests.e2e.reference import Said

ITEM = {
    "kind": "odd",
    "prompt": "qqq",
    "tokens": [5, 6, 7],
    "logprobs": [-1.0, -2.0, -0.5],
    "margins": [2.0, 0.00001, 3.0],
    "text": "abc",
}


@pytest.mark.parametrize(
    ("tokens", "logprobs", "wrong"),
    [
        ([5, 6, 7], [-1.0, -2.0, -0.5], ""),
        ([5, 6, 7], [-1.0005, -2.0, -0.5], ""),
        ([5, 6, 7], [-1.0, -2.002, -0.5], "token 2 has log-probability -2.00200, not -2.00000"),
        ([4, 6, 7], [-1.0, -2.0, -0.5], r"token 1 is \[4\] and not 5"),
        ([5, 9, 9], [-1.0, -2.0, -0.5], ""),  # a tie
        ([5, 6, 9], [-1.0, -2.0, -0.5], r"token 3 is \[9\] and not 7"),
        ([5, 6], [-1.0, -2.0], r"token 3 is \[\] and not 7"),
        ([5, 6, 7, 8], [-1.0, -2.0, -0.5, -0.1], "4 tokens, not 3"),
    ],
)
def test_a_difference_is_told_with_its_place(tokens, logprobs, wrong):
    found, dummy = reference.difference(ITEM, Said(tokens, logprobs, "xyz"))
    assert re.search(wrong, found) if wrong else found == ""


@pytest.mark.parametrize(
    ("version", "rule"),
    [
        ("0.7.2", "best"),
        ("0.7.2+cpu", "best"),
        ("0.7.2+gh200.cpu", "sum"),
        ("0.7.2+cu128.gh200", "sum"),
        ("0.20.2", "sum"),
        ("0.32.0+cpu", "sum"),
    ],
)
def test_the_version_tells_the_rule(version, rule):
    assert reference.rule(version) == rule


def test_only_odd_prompts_go_on_beyond_the_end_and_questions_are_asked_twice():
    assert [(path, body["ignore_eos"]) for path, body in reference.requests_of(ITEM, 24)] == [("/completions", True)]
    fact = ITEM | {"kind": "chat", "question": "Who?"}
    assert [(path, body["ignore_eos"]) for path, body in reference.requests_of(fact, 24)] == [
        ("/completions", False),
        ("/chat/completions", False),
    ]


def test_both_kinds_of_answers_are_read():
    plain = {
        "choices": [
            {"text": "ab", "logprobs": {"tokens": ["token_id:5", "token_id:6"], "token_logprobs": [-1.0, -2.0]}}
        ]
    }
    parts = [{"token": "token_id:5", "logprob": -1.0}, {"token": "token_id:6", "logprob": -2.0}]
    chat = {"choices": [{"message": {"content": "ab"}, "logprobs": {"content": parts}}]}
    assert reference.said(plain) == reference.said(chat) == Said([5, 6], [-1.0, -2.0], "ab")


def test_the_first_token_does_not_count_for_the_fingerprint():
    assert reference.mean([None, -1.0, -2.0]) == -1.5
    with pytest.raises(AssertionError):
        reference.mean([-1.0, -2.0])


class Endpoint:
    """Says the same to every request, or fails."""

    def __init__(self, answer):
        self.answer = answer

    def get(self, path, body):
        if self.answer is None:
            raise TimeoutError("timed out")
        return self.answer


def test_a_server_that_does_not_answer_is_a_difference_of_every_prompt():
    right = {
        "choices": [
            {
                "text": "abc",
                "logprobs": {
                    "tokens": ["token_id:5", "token_id:6", "token_id:7"],
                    "token_logprobs": [-1.0, -2.0, -0.5],
                },
            }
        ]
    }
    assert reference.examine(Endpoint(right), [ITEM] * 3, 3, 2) == ([], 3, 0.0)
    report = reference.examine(Endpoint(None), [ITEM] * 3, 3, 2)
    assert len(report.wrong) == 3 and "no answer on /completions: TimeoutError" in report.wrong[0]
