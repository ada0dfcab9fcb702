# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits, and two tests against each other."""

from __future__ import annotations

import json

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.load_test import compare, judge, result

NONE = {
    "min_tokens_per_second": 0.0,
    "max_first_token_p99": 0.0,
    "max_inter_token_p99": 0.0,
    "max_error_rate": 0.0,
    "fail_if_slower": False,
}
ASKED = {"requests": 4, "prompt_tokens": 10, "output_tokens": 20, "concurrencies": [1, 8]}


def run(concurrency, rate, first=0.1, failed=0, between=0.02):
    """One run with these figures."""
    return {
        "concurrency": concurrency,
        "requests": 10,
        "completed": 10 - failed,
        "failed": failed,
        "errors": [{"text": "HTTP 500", "count": failed}] if failed else [],
        "tokens_per_second": rate,
        "first_token": None if failed == 10 else {"p50": first / 2, "p90": first, "p99": first},
        "inter_token": None if failed == 10 else {"p50": between, "p90": between, "p99": between},
        "samples": [{"start": 0}],
    }


def a_test(*runs):
    """A result of these runs."""
    return {"format": 1, "made": "2026-11-26T10:00:00Z", "asked": dict(ASKED), "about": {}, "runs": list(runs)}


def failures(runs, **limits):
    return judge.judge(a_test(*runs), NONE | limits)["failures"]


GOOD = [run(1, 50.0), run(1, 54.0), run(8, 200.0, first=0.5), run(8, 220.0, first=0.7)]


def test_what_is_within_its_limits_has_no_failure():
    limits = {"min_tokens_per_second": 210.0, "max_first_token_p99": 0.6, "max_inter_token_p99": 0.02}
    assert failures(GOOD, **limits) == []


@pytest.mark.parametrize(
    ("limits", "sentence"),
    [
        (
            {"min_tokens_per_second": 210.5},
            "The best is 210.0 tokens per second, with 8 requests at once, and 210.5 are the least.",
        ),
        (
            {"max_first_token_p99": 0.59},
            "The first token has a p99 of 0.600 s with 8 requests at once, and 0.59 s are the most.",
        ),
        (
            {"max_inter_token_p99": 0.019},
            "The time between tokens has a p99 of 0.020 s with 8 requests at once, and 0.019 s are the most.",
        ),
    ],
)
def test_each_limit_that_is_not_kept_is_a_sentence(limits, sentence):
    assert failures(GOOD, **limits) == [sentence]


def test_failed_requests_are_counted_over_all_runs():
    runs = [run(1, 50.0), run(8, 200.0, failed=2)]
    assert failures(runs) == ["2 of 20 requests failed (10.0%, allowed are 0.0%), 2 of them with: HTTP 500."]
    assert failures(runs, max_error_rate=0.1) == []


def test_no_answer_at_all_is_a_failure_whatever_is_allowed():
    assert failures([run(1, 0.0, failed=10)], max_error_rate=1.0) == ["None of 10 requests was answered whole."]


def lines(before, after):
    """The comparison of tokens per second, of two lists of rates."""
    old, new = (a_test(*(run(8, rate) for rate in rates)) for rates in (before, after))
    return next(line for line in compare.compare(old, new) if line["figure"] == "tokens_per_second")


@pytest.mark.parametrize(
    ("before", "after", "beyond", "says"),
    [
        ([100, 102, 104], [110, 112, 114], True, "better, beyond the spread (by chance once in 10)"),
        ([100, 102, 104], [90, 92, 94], True, "worse, beyond the spread (by chance once in 10)"),
        ([100, 102, 104], [104, 112, 114], False, "within the spread"),
        (
            [100, 102, 104, 106, 108],
            [110, 112, 114, 116, 118],
            True,
            "better, beyond the spread (by chance once in 126)",
        ),
        ([100, 102], [210, 212, 214], False, "not known: that takes 3 runs of each"),
    ],
)
def test_a_difference_is_held_against_the_spread(before, after, beyond, says):
    line = lines(before, after)
    assert (line["beyond"], line["says"]) == (beyond, says)


def test_less_time_is_better():
    before, after = (
        a_test(*(run(8, 100.0, first=first) for first in firsts)) for firsts in ((1, 1.1, 1.2), (0.5, 0.6, 0.7))
    )
    line = next(line for line in compare.compare(before, after) if line["figure"] == "first_token.p99")
    assert line["better"] and line["beyond"] and line["change"] == pytest.approx(0.6 / 1.1 - 1)


def test_slower_beyond_the_spread_fails_only_where_that_is_asked_for():
    before, after = (a_test(*(run(8, rate) for rate in rates)) for rates in ((100.0, 101.0, 102.0), (50.0, 51.0, 52.0)))
    assert judge.judge(after, NONE, before)["failures"] == []
    (sentence,) = judge.judge(after, NONE | {"fail_if_slower": True}, before)["failures"]
    assert sentence == (
        "With 8 requests at once, tokens per second is 51, and was 101 in the test of 2026-11-26T10:00:00Z (-49.5%): "
        "slower, beyond the spread of the runs."
    )
    assert judge.judge(before, NONE | {"fail_if_slower": True}, after)["failures"] == []


def test_the_report_has_no_single_requests_and_the_result_has():
    judged = judge.judge(a_test(*GOOD), NONE, a_test(*GOOD))
    assert "samples" not in json.dumps(judged["page"])
    assert judged["result"]["runs"][0]["samples"]
    assert judged["lines"][1] == (
        "8 at once: 210.0 tokens/s (200.0 to 220.0 in 2 runs), first token after 0.300 s, "
        "then one each 0.0200 s, 0 failed"
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2, "runs": []}', '{"format": 1, "runs": [{}]}', '{"format": 1, "runs": []}']
)
def test_what_is_no_result_is_one_sentence(text):
    with pytest.raises(result.ResultError, match=r"^a\.json is .*: (give|make) [^\n]*\.$"):
        result.read(text, "a.json")


def test_only_tests_that_asked_the_same_are_compared():
    text = json.dumps(a_test(*GOOD))
    assert result.read(text, "a.json", ASKED)["runs"]
    with pytest.raises(
        result.ResultError, match=r"cannot be compared with this test: output_tokens was 20 and is 30\."
    ):
        result.read(text, "a.json", ASKED | {"output_tokens": 30})
    with pytest.raises(result.ResultError, match=r"concurrencies were \[1, 8\] and are \[2\]"):
        result.read(text, "a.json", ASKED | {"concurrencies": [2]})
