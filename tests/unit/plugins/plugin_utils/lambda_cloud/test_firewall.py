# SPDX-License-Identifier: GPL-3.0-or-later
"""Inbound rules: one spelling, merged, never without ssh."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import converge, errors, firewall
from hypothesis import given
from hypothesis import strategies as st

SSH = {"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0", "description": "ssh"}


def rule(protocol="tcp", ports=(80, 80), source="0.0.0.0/0", description=""):
    return firewall.Rule(protocol, ports, source, description)


def refusal(status, code="global/internal-error"):
    return errors.from_answer("PATCH x", status, {"error": {"code": code, "message": "no"}}, "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"source_network": "1.2.3.4"}, {"source_network": "1.2.3.4/32"}),
        ({"source_network": "1.2.3.4/24"}, {"source_network": "1.2.3.0/24"}),
        ({"port_range": [22]}, {"port_range": [22, 22]}),
    ],
)
def test_two_spellings_are_one_rule(one, other):
    base = {"protocol": "tcp", "port_range": [22, 22], "source_network": "1.2.3.4", "description": "x"}
    assert firewall.rules_from_options([base | one]) == firewall.rules_from_options([base | other])


def test_a_rule_that_we_do_not_understand_is_sent_back_as_it_was():
    raw = {"protocol": "esp", "source_network": "fleet:r1", "weight": 3}
    there = [firewall.Rule.parse(raw)]
    merged = firewall.present(there, firewall.rules_from_options([SSH]))
    assert [item.body() for item in merged] == [raw, SSH]


def test_a_description_that_is_not_given_stays_and_a_new_rule_gets_an_empty_one():
    there = [rule(description="mine")]
    assert firewall.present(there, [rule(description=None)]) == there
    assert firewall.exact(there, [rule(description=None)]) == there
    assert firewall.present([], [rule(description=None)]) == [rule(description="")]


def test_exact_leaves_one_of_two_that_let_the_same_in():
    there = [rule(description="a"), rule(description="b")]
    assert firewall.exact(there, [rule(description="b")]) == [rule(description="b")]
    assert firewall.exact(there, [rule(description=None)]) == [rule(description="a")]
    assert firewall.exact(there, [rule(description="c")]) == [rule(description="c")]


@pytest.mark.parametrize(
    ("one", "is_open"),
    [
        (rule("tcp", (22, 22)), True),
        (rule("tcp", (1, 1024), "203.0.113.7/32"), True),
        (rule("all", (1, 65535)), True),
        (rule("all", ()), True),
        (rule("tcp", (23, 30)), False),
        (rule("tcp", (1, 21)), False),
        (rule("udp", (22, 22)), False),
        (rule("icmp", ()), False),
        (rule("all", (80, 90)), False),
    ],
)
def test_ssh_is_let_in_by_tcp_22_only(one, is_open):
    assert one.lets_ssh_in is is_open


def test_the_number_of_rules_is_refused_only_when_it_grows():
    many = [rule(ports=(port, port)) for port in range(1, 30)]
    with pytest.raises(errors.CloudError, match="would have 21 rules"):
        firewall.check_size(many[:20], many[:21], "It")
    firewall.check_size(many[:19], many[:20], "It")
    firewall.check_size(many[:25], many[:24], "It")


RULES = st.lists(
    st.builds(
        rule,
        st.sampled_from(["tcp", "udp"]),
        st.sampled_from([(22, 22), (80, 80)]),
        st.sampled_from(["0.0.0.0/0", "203.0.113.7/32"]),
        st.sampled_from(["", "a"]),
    ),
    max_size=8,
)
UNIQUE = RULES.map(lambda rules: list({item.key: item for item in rules}.values()))


@given(RULES, UNIQUE)
def test_a_second_run_is_silent_and_nothing_of_others_is_lost(there, wanted):
    for merge in firewall.MERGES.values():
        once = merge(there, wanted)
        assert firewall.same(merge(once, wanted), once)
    with_them, without = firewall.present(there, wanted), firewall.absent(there, wanted)
    keys = {item.key for item in wanted}
    others = [item for item in there if item.key not in keys]
    assert without == others and [item for item in with_them if item.key not in keys] == others
    assert firewall.same(firewall.exact(there, wanted), wanted)


def test_a_write_that_is_undone_is_not_believed():
    writes = []
    with pytest.raises(
        errors.CloudError, match=r"not as declared after 5 tries. The API took each of them, and something undid it"
    ):
        converge.converge("It", lambda: [], writes.append, lambda there: [rule()], lambda attempt, after: True)
    assert writes == [[rule()]] * converge.TRIES


@pytest.mark.parametrize(
    "error",
    [
        refusal(409),
        refusal(409, "global/conflict"),
        refusal(502, ""),
        refusal(429, "x"),
        errors.LambdaError("reset", "network"),
    ],
)
def test_what_may_pass_is_tried_again_after_a_pause_and_a_fresh_read(error):
    steps, there = [], []

    def write(rules):
        steps.append("write")
        if steps.count("write") == 1:
            raise error
        there.extend(rules)

    def read():
        steps.append("read")
        return list(there)

    assert converge.converge(
        "It", read, write, lambda rules: [rule()], lambda attempt, after: steps.append("pause") or True
    ) == [rule()]
    assert steps == ["read", "write", "pause", "read", "write", "read"]


def test_what_is_wrong_is_not_tried_again():
    def write(rules):
        raise refusal(400, "global/invalid-parameters")

    with pytest.raises(errors.LambdaError, match="global/invalid-parameters"):
        converge.converge("It", lambda: None, write, lambda rules: [], lambda attempt, after: pytest.fail("no pause"))
