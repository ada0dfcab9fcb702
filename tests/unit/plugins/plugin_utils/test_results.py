# SPDX-License-Identifier: GPL-3.0-or-later
"""Found by exact value, made once, the same in each result."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models
from ansible_collections.gh200.inference.plugins.plugin_utils import results


def things(*ids):
    return [SimpleNamespace(id=one) for one in ids]


def test_one_is_the_one_and_none_is_none_and_two_are_an_error():
    one, = things("a")
    assert results.only([one], "thing") is one and results.only([], "thing") is None
    with pytest.raises(errors.CloudError, match="more than one thing: a, b"):
        results.only(things("a", "b"), "thing")


def test_nothing_is_changed_where_before_and_after_are_the_same():
    assert results.outcome({"name": "a"}, {"name": "a"})["changed"] is False
    assert results.outcome({}, {"name": "a"}, thing=1) == {"changed": True, "diff": {"before": "", "after": {"name": "a"}}, "thing": 1}


@pytest.mark.parametrize("kind", ["network", "server", "unknown", "rate"])
def test_after_an_answer_that_says_nothing_somebody_looks_and_does_not_ask_again(kind):
    asked = []

    def ask():
        asked.append(1)
        raise errors.LambdaError("lost.", kind)

    assert results.create(ask, lambda: "found", "thing") == "found"
    with pytest.raises(errors.CloudError, match="lost. The account shows no thing at this moment: run this again."):
        results.create(ask, lambda: None, "thing")
    assert len(asked) == 2


def test_a_plain_refusal_is_not_looked_into():
    def ask():
        raise errors.LambdaError("quota.", "quota")

    with pytest.raises(errors.LambdaError, match="quota"):
        results.create(ask, lambda: pytest.fail("looked"), "thing")


def test_an_instance_with_the_least_that_the_api_gives_has_all_keys():
    least = results.instance(models.Instance.parse({"id": "a", "status": "hibernating", "jupyter_token": "planted"}))
    whole = results.instance(models.Instance.parse({
        "id": "b", "name": "r1-00", "status": "active", "tags": [{"key": "gh200:fleet", "value": "r1"}, {"key": "gh200:node", "value": "r1-00"}],
        "instance_type": {"name": "gpu_1x_gh200", "price_cents_per_hour": 229, "specs": {"gpus": 1}},
    }))
    assert set(least) == set(whole) and "planted" not in str(least)
    assert (whole["fleet"], whole["node"], whole["price_per_hour"]) == ("r1", "r1-00", 2.29)
    assert (least["fleet"], least["status"]) == ("", "hibernating")
