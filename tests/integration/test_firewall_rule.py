# SPDX-License-Identifier: GPL-3.0-or-later
"""lambda_firewall_rule: merged with what others have there, and ssh is never locked out."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import client

from lab.api.faults import Fault

from .account import ask, twice

READ, WRITE = "GET /firewall-rulesets/global", "PATCH /firewall-rulesets/global"
API = {"protocol": "tcp", "port_range": [8000, 8000], "source_network": "203.0.113.0/24", "description": "vLLM"}
SSH = {"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0", "description": "ssh"}
PING = {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": "ping"}


@pytest.fixture(name="firewall")
def account_rules(act, cloud):
    """firewall(*rules, **options): one run of the task. The account has ssh and ping open."""
    ask(cloud, "PATCH", "/firewall-rulesets/global", {"rules": [SSH, PING]})
    cloud.calls()
    return lambda *rules, **options: act("lambda_firewall_rule", **cloud.options, rules=list(rules), **options)


def there(cloud):
    """The account's rules, as somebody else sees them."""
    return ask(cloud, "GET", "/firewall-rulesets/global")["rules"]


def test_rules_are_needed_with_protocol_and_source(act, cloud):
    with pytest.raises(AnsibleError, match="missing required arguments: rules"):
        act("lambda_firewall_rule", **cloud.options)
    with pytest.raises(AnsibleError, match="missing required arguments: protocol, source_network found in rules"):
        act("lambda_firewall_rule", **cloud.options, rules=[{"port_range": [22, 22]}])
    assert cloud.calls() == []


def test_a_rule_is_added_described_anew_and_removed_and_the_others_stay(act, cloud, firewall):
    made, calls = twice(act, cloud, "lambda_firewall_rule", rules=[API])
    assert (
        calls == [READ, WRITE, READ]
        and made["changed"]
        and made["diff"] == {"before": [PING, SSH], "after": [PING, SSH, API]}
    )
    assert made["rules"] == [PING, SSH, API]
    assert sorted(map(str, there(cloud))) == sorted(map(str, [SSH, PING, API]))

    cloud.calls()
    again = firewall(API)
    assert (again["changed"], again["rules"]) == (False, made["rules"]) and cloud.calls() == [READ]
    kept = firewall({"protocol": "tcp", "port_range": [8000], "source_network": "203.0.113.77/24"})
    assert (kept["changed"], kept["rules"]) == (False, made["rules"]) and cloud.calls() == [READ]

    other = API | {"description": "for the office"}
    named, calls = twice(act, cloud, "lambda_firewall_rule", rules=[other])
    assert calls == [READ, WRITE, READ] and named["rules"] == [PING, SSH, other]

    gone, calls = twice(act, cloud, "lambda_firewall_rule", rules=[API], state="absent")
    assert calls == [READ, WRITE, READ] and gone["diff"] == {"before": [PING, SSH, other], "after": [PING, SSH]}
    cloud.calls()
    assert firewall(API, state="absent")["changed"] is False and cloud.calls() == [READ]


def test_exact_removes_the_others(act, cloud, firewall):
    home = {"protocol": "tcp", "port_range": [22, 22], "source_network": "203.0.113.7", "description": "home"}
    only, calls = twice(act, cloud, "lambda_firewall_rule", rules=[home], state="exact")
    assert calls == [READ, WRITE, READ] and only["rules"] == [home | {"source_network": "203.0.113.7/32"}]
    cloud.calls()
    assert firewall(home, state="exact")["changed"] is False and cloud.calls() == [READ]


def test_rules_of_others_are_sent_back_as_they_were(cloud, firewall):
    cloud.cloud.store.firewall_rules.append(
        {
            "protocol": "tcp",
            "port_range": [443, 443],
            "source_network": "198.51.100.9",
            "description": "",
            "owner": "else",
        }
    )
    firewall(API)
    (body,) = [body for body in cloud.bodies(WRITE) if len(body["rules"]) > 2]
    assert {
        "protocol": "tcp",
        "port_range": [443, 443],
        "source_network": "198.51.100.9",
        "description": "",
        "owner": "else",
    } in body["rules"]


@pytest.mark.parametrize(("rules", "state"), [([SSH], "absent"), ([API], "exact"), ([], "exact"), ([PING], "exact")])
@pytest.mark.parametrize("check", [True, False])
def test_what_would_lock_ssh_out_is_refused(cloud, firewall, rules, state, check):
    refused = firewall(*rules, state=state, check=check)
    assert refused["failed"] and "no rule that lets TCP 22 in" in refused["msg"] and cloud.calls() == [READ]


def test_ssh_within_a_wider_rule_is_enough(cloud, firewall):
    everything = {"protocol": "all", "port_range": [1, 65535], "source_network": "203.0.113.7", "description": ""}
    assert firewall(everything, state="exact")["changed"]


def test_more_rules_than_lambda_bears_are_refused_but_fewer_of_too_many_are_not(cloud, firewall):
    many = [API | {"port_range": [port, port]} for port in range(9000, 9024)]
    refused = firewall(*many)
    assert refused["failed"] and "would have 26 rules" in refused["msg"] and cloud.calls() == [READ]
    cloud.cloud.store.firewall_rules.extend(many)
    fewer = firewall(many[0], state="absent")
    assert fewer["changed"] and "has 25 rules" in fewer["warnings"][0] and len(there(cloud)) == 25


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (API | {"protocol": "icmp"}, "icmp has no ports"),
        ({"protocol": "udp", "source_network": "0.0.0.0/0"}, "needs a port_range"),
        (API | {"port_range": [90, 80]}, "wrong port_range"),
        (API | {"port_range": [0, 80]}, "wrong port_range"),
        (API | {"port_range": [80, 81, 82]}, "wrong port_range"),
        (API | {"source_network": "home"}, "wrong source_network"),
        (API | {"source_network": "2001:db8::/32"}, "wrong source_network"),
        (API | {"description": "x" * 129}, "description of 129 characters"),
    ],
)
def test_a_rule_that_cannot_be_is_a_sentence_before_anything_is_asked(cloud, firewall, rule, said):
    refused = firewall(rule)
    assert refused["failed"] and said in refused["msg"] and cloud.calls() == []


def test_the_same_rule_twice_is_a_sentence(cloud, firewall):
    refused = firewall(API, API | {"description": "again", "source_network": "203.0.113.9/24"})
    assert refused["failed"] and "let the same in" in refused["msg"] and cloud.calls() == []


def test_a_rule_that_another_adds_meanwhile_is_kept(cloud, firewall, monkeypatch):
    other = API | {"port_range": [443, 443], "description": "of another"}
    write, tries = client.Client.set_global_rules, []

    def write_after_another(self, rules):
        if not tries:
            cloud.faults.add(Fault(on=WRITE, do="error", code="global/internal-error", status=409))
            ask(cloud, "PUT", "/firewall-rules", {"data": [SSH, PING, other]})
        tries.append(len(rules))
        return write(self, rules)

    monkeypatch.setattr(client.Client, "set_global_rules", write_after_another)
    assert firewall(API)["changed"] and tries == [3, 4]
    assert sorted(rule.get("description") for rule in there(cloud)) == ["of another", "ping", "ssh", "vLLM"]


def test_a_write_whose_answer_is_lost_is_looked_for_and_not_repeated(cloud, firewall):
    cloud.faults.add(Fault(on=WRITE, do="drop", when="after"))
    assert firewall(API)["changed"] and cloud.calls() == [READ, WRITE, READ]


def test_a_write_that_has_no_effect_is_asked_for_again_and_then_an_error(cloud, firewall):
    cloud.faults.add(Fault(on=WRITE, do="error", code="global/internal-error", status=409, times=0))
    refused = firewall(API)
    calls = cloud.calls()
    assert (
        refused["failed"] and "not as declared after 5 tries" in refused["msg"] and refused["failure"]["status"] == 409
    )
    assert calls.count(WRITE) == 5 and calls == [READ, WRITE] * 5 + [READ] and len(there(cloud)) == 2


def test_a_write_that_is_wrong_is_not_repeated(cloud, firewall):
    cloud.faults.add(Fault(on=WRITE, do="refuse", code="global/invalid-parameters", status=400))
    refused = firewall(API)
    assert (
        refused["failed"]
        and refused["failure"]["code"] == "global/invalid-parameters"
        and cloud.calls() == [READ, WRITE]
    )
