# SPDX-License-Identifier: GPL-3.0-or-later
"""lambda_firewall_ruleset: by name and region, its rules as declared and no others."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from lab.api.faults import Fault

from .account import ask, launch, twice

LIST, ADD = "GET /firewall-rulesets", "POST /firewall-rulesets"
API = {"protocol": "tcp", "port_range": [8000, 8000], "source_network": "203.0.113.0/24", "description": "vLLM"}
PING = {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": ""}


@pytest.fixture(name="ruleset")
def one_ruleset(act, cloud):
    """ruleset(*rules, **options): one run of the task for `api` in us-east-3."""
    return lambda *rules, **options: act(
        "lambda_firewall_ruleset",
        **(cloud.options | {"name": "api", "region": "us-east-3", "rules": list(rules)} | options),
    )


def test_name_region_and_rules_are_needed(act, cloud):
    with pytest.raises(AnsibleError, match="missing required arguments: name, region"):
        act("lambda_firewall_ruleset", **cloud.options)
    with pytest.raises(AnsibleError, match="state is present but all of the following are missing: rules"):
        act("lambda_firewall_ruleset", **cloud.options, name="api", region="us-east-3")
    assert cloud.calls() == []


def test_a_ruleset_is_made_kept_changed_and_deleted(act, cloud, ruleset):
    place = {"name": "api", "region": "us-east-3"}
    made, calls = twice(act, cloud, "lambda_firewall_ruleset", **place, rules=[API])
    assert calls == [LIST, ADD, LIST] and cloud.bodies(ADD) == [place | {"rules": [API]}]
    assert made["diff"] == {"before": "", "after": place | {"rules": [API]}}
    item = made["ruleset"]
    assert item["id"] and item["created"] and (item["rules"], item["instance_ids"]) == ([API], [])

    again = ruleset({"protocol": "tcp", "port_range": [8000], "source_network": "203.0.113.5/24"})
    assert (again["changed"], again["ruleset"]) == (False, item) and cloud.calls() == [LIST]

    change = f"PATCH /firewall-rulesets/{item['id']}"
    changed, calls = twice(act, cloud, "lambda_firewall_ruleset", **place, rules=[PING])
    assert calls == [LIST, change, LIST] and cloud.bodies(change) == [{"rules": [PING]}]
    assert (
        changed["diff"] == {"before": place | {"rules": [API]}, "after": place | {"rules": [PING]}}
        and changed["ruleset"]["id"] == item["id"]
    )

    gone, calls = twice(act, cloud, "lambda_firewall_ruleset", **place, state="absent")
    assert calls == [LIST, f"DELETE /firewall-rulesets/{item['id']}"]
    assert (gone["changed"], gone["ruleset"], gone["diff"]["after"]) == (True, {}, "") and ask(
        cloud, "GET", "/firewall-rulesets"
    ) == []
    cloud.calls()
    assert ruleset(state="absent")["changed"] is False and cloud.calls() == [LIST]


def test_one_without_rules_is_one_too(act, cloud, ruleset):
    made, calls = twice(act, cloud, "lambda_firewall_ruleset", name="api", region="us-east-3", rules=[])
    assert made["changed"] and calls == [LIST, ADD, LIST]
    assert ruleset()["changed"] is False


def test_the_same_name_in_another_region_is_another_one(cloud, ruleset):
    first = ruleset(API)["ruleset"]["id"]
    assert ruleset(API, region="us-west-1")["ruleset"]["id"] != first
    assert ruleset(API, state="absent", region="us-west-1")["changed"]
    assert [item["id"] for item in ask(cloud, "GET", "/firewall-rulesets")] == [first]


def test_two_of_one_name_are_an_error_with_both_ids(cloud, ruleset):
    ids = [
        ask(cloud, "POST", "/firewall-rulesets", {"name": "api", "region": "us-east-3", "rules": []})["id"]
        for dummy in range(2)
    ]
    for options in ({}, {"state": "absent"}):
        refused = ruleset(API, **options)
        assert refused["failed"] and all(item in refused["msg"] for item in ids)


def test_one_in_use_is_refused_with_the_names_of_its_users(cloud, ruleset):
    item = ruleset(API)["ruleset"]["id"]
    user = launch(cloud, "notebook", firewall_rulesets=[{"id": item}])
    for check in (True, False):
        cloud.calls()
        refused = ruleset(API, state="absent", check=check)
        assert (
            refused["failed"]
            and f"in use by notebook ({user})" in refused["msg"]
            and cloud.calls() == [LIST, "GET /instances"]
        )
    assert ruleset(API)["ruleset"]["instance_ids"] == [user]


def test_a_deletion_that_the_api_refuses_as_in_use_is_its_sentence(cloud, ruleset):
    ruleset(API)
    cloud.faults.add(
        Fault(
            on="DELETE /firewall-rulesets/{id}",
            do="refuse",
            code="firewall-rulesets/firewall-ruleset-in-use",
            status=400,
        )
    )
    refused = ruleset(API, state="absent")
    assert refused["failed"] and refused["failure"] == {
        "kind": "conflict",
        "code": "firewall-rulesets/firewall-ruleset-in-use",
        "status": 400,
    }


def test_more_than_twenty_rules_are_refused(cloud, ruleset):
    rules = [API | {"port_range": [port, port]} for port in range(9000, 9021)]
    for check in (True, False):
        refused = ruleset(*rules, check=check)
        assert refused["failed"] and "would have 21 rules" in refused["msg"] and cloud.calls() == [LIST]


def test_a_conflict_is_tried_again_after_a_fresh_look(cloud, ruleset):
    cloud.faults.add(Fault(on=ADD, do="error", code="global/internal-error", status=409))
    item = ruleset(API)["ruleset"]["id"]
    assert cloud.calls() == [LIST, ADD, LIST, ADD, LIST]
    change = f"PATCH /firewall-rulesets/{item}"
    cloud.faults.add(
        Fault(on="PATCH /firewall-rulesets/{id}", do="error", code="global/internal-error", status=409, times=2)
    )
    assert ruleset(PING)["changed"] and cloud.calls() == [LIST, change] * 3 + [LIST]


def test_a_creation_whose_answer_is_lost_is_found_and_not_repeated(cloud, ruleset):
    cloud.faults.add(Fault(on=ADD, do="drop", when="after"))
    assert ruleset(API)["changed"] and cloud.calls() == [LIST, ADD, LIST]
    assert len(ask(cloud, "GET", "/firewall-rulesets")) == 1


def test_a_deletion_whose_answer_is_lost_is_no_error(cloud, ruleset):
    ruleset(API)
    cloud.faults.add(Fault(on="DELETE /firewall-rulesets/{id}", do="drop", when="after"))
    cloud.calls()
    assert ruleset(state="absent")["changed"]
    assert [call.partition("/")[0] for call in cloud.calls()][:3] == ["GET ", "DELETE ", "DELETE "]
    assert ruleset(state="absent")["changed"] is False
