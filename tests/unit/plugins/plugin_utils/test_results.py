# SPDX-License-Identifier: GPL-3.0-or-later
"""Found by exact value, made once, the same in each result."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models


def things(*ids):
    return [SimpleNamespace(id=one) for one in ids]


def test_one_is_the_one_and_none_is_none_and_two_are_an_error():
    (one,) = things("a")
    assert results.only([one], "thing") is one and results.only([], "thing") is None
    with pytest.raises(errors.CloudError, match="more than one thing: a, b"):
        results.only(things("a", "b"), "thing")


def test_nothing_is_changed_where_before_and_after_are_the_same():
    assert results.outcome({"name": "a"}, {"name": "a"})["changed"] is False
    assert results.outcome({}, {"name": "a"}, thing=1) == {
        "changed": True,
        "diff": {"before": "", "after": {"name": "a"}},
        "thing": 1,
    }


def never(attempt, error):
    """A pause for which there is no time."""
    return False


@pytest.mark.parametrize("kind", ["network", "server", "unknown", "rate"])
def test_after_an_answer_that_says_nothing_somebody_looks_and_does_not_ask_again(kind):
    asked = []

    def ask():
        asked.append(1)
        raise errors.LambdaError("lost.", kind, cure="Try again later.")

    assert results.create(ask, lambda: "found", "thing", never) == "found"
    with pytest.raises(
        errors.CloudError, match=r"^lost\. The account shows no thing at this moment: run this again\.$"
    ):
        results.create(ask, lambda: None, "thing", never)
    assert len(asked) == 2


def refused(steps, times):
    """A call that is answered with 429 so often, and then made."""

    def ask():
        steps.append("ask")
        if steps.count("ask") <= times:
            raise errors.LambdaError("too fast.", "rate", status=429)
        return "made"

    return ask


def test_a_429_is_waited_for_and_looked_into_before_it_is_asked_again():
    steps = []
    made = results.create(
        refused(steps, 2),
        lambda: steps.append("look"),
        "thing",
        lambda attempt, error: steps.append(f"pause {attempt}") or True,
    )
    assert made == "made" and steps == ["ask", "pause 0", "look", "ask", "pause 1", "look", "ask"]


def test_a_429_without_end_is_an_error_after_some_tries():
    steps = []
    with pytest.raises(errors.CloudError, match=r"too fast. The account shows no thing"):
        results.create(refused(steps, 99), lambda: None, "thing", lambda attempt, error: True)
    assert len(steps) == results.TRIES


def test_a_plain_refusal_is_not_looked_into():
    def ask():
        raise errors.LambdaError("quota.", "quota")

    with pytest.raises(errors.LambdaError, match="quota"):
        results.create(ask, lambda: pytest.fail("looked"), "thing", never)


def test_an_instance_with_the_least_that_the_api_gives_has_all_keys():
    least = results.instance(models.Instance.parse({"id": "a", "status": "hibernating", "jupyter_token": "planted"}))
    whole = results.instance(
        models.Instance.parse(
            {
                "id": "b",
                "name": "r1-00",
                "status": "active",
                "tags": [{"key": "gh200:fleet", "value": "r1"}, {"key": "gh200:node", "value": "r1-00"}],
                "instance_type": {"name": "gpu_1x_gh200", "price_cents_per_hour": 229, "specs": {"gpus": 1}},
            }
        )
    )
    assert set(least) == set(whole) and "planted" not in str(least)
    assert (whole["fleet"], whole["node"], whole["price_per_hour"]) == ("r1", "r1-00", 2.29)
    assert (least["fleet"], least["status"]) == ("", "hibernating")
