# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that were found bad: terminated by exact id, launched anew under the same name, and nobody else touched."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import plan

from .account import launch
from .world import LAUNCH, TERMINATE


@pytest.fixture(name="fleet")
def fleet_of_three(act, cloud, tmp_path):
    """fleet(**options): one run of the task."""

    def fleet(**options):
        told = {
            "region": "us-east-3",
            "ssh_key_name": "laptop",
            "wait_for_ssh": False,
            "poll_interval": 0.01,
            "settle_time": 0.2,
            "state_dir": str(tmp_path / "state"),
            "deadline": 10,
            "name": "r1",
            "size": 3,
        }
        return act("lambda_fleet", **(cloud.options | told | options))

    return fleet


def ids(result):
    return {node["name"]: node["id"] for node in result["fleet"]["nodes"]}


def costly(cloud):
    """What was asked for since the last time and is no mere look."""
    return [call for call in cloud.calls() if not call.startswith("GET ")]


def test_exactly_the_bad_ones_are_terminated_and_launched_anew(fleet, cloud):
    other = launch(cloud, "notebook")
    before = ids(fleet())
    bad = [before["r1-00"], before["r1-02"]]
    cloud.calls()
    done = len(cloud.bodies(LAUNCH))
    result = fleet(replace=bad)
    assert sorted(costly(cloud)) == [LAUNCH] * 2 + [TERMINATE] * 2
    assert cloud.bodies(TERMINATE) == [{"instance_ids": [instance_id]} for instance_id in bad]
    assert [body["hostname"] for body in cloud.bodies(LAUNCH)[done:]] == ["r1-00", "r1-02"]
    assert (result["changed"], result["launched"], result["adopted"], result["terminated"]) == (
        True,
        ["r1-00", "r1-02"],
        ["r1-01"],
        bad,
    )
    after = ids(result)
    assert after["r1-01"] == before["r1-01"] and not set(after.values()) & set(bad)
    assert {item["id"] for item in cloud.cloud.instances() if item["status"] != "terminated"} == {
        other,
        *after.values(),
    }


def test_the_second_run_with_the_same_ids_changes_nothing(fleet, cloud):
    bad = [ids(fleet())["r1-01"]]
    first = fleet(replace=bad)
    cloud.calls()
    second = fleet(replace=bad)
    assert not second["changed"] and costly(cloud) == [] and ids(second) == ids(first)


def test_check_mode_and_diff_predict_it(fleet, cloud):
    bad = [ids(fleet())["r1-01"]]
    cloud.calls()
    predicted = fleet(replace=bad, check=True, diff=True)
    assert costly(cloud) == []
    real = fleet(replace=bad, diff=True)
    same = ("changed", "launched", "adopted", "terminated", "diff")
    assert {key: predicted[key] for key in same} == {key: real[key] for key in same}
    assert f"r1-01: {bad[0]}\n" in real["diff"]["before"] and "r1-01: to be launched\n" in real["diff"]["after"]


@pytest.mark.parametrize("check", [False, True])
def test_an_id_that_is_no_node_of_the_fleet_is_refused_before_anything_is_done(fleet, cloud, check):
    other, nodes = launch(cloud, "notebook"), ids(fleet())
    for strange in ("0" * 32, other):
        cloud.calls()
        result = fleet(replace=[nodes["r1-01"], strange], check=check)
        assert result["failed"] and costly(cloud) == [] and "\n" not in result["msg"]
        assert (
            f"{strange}, which is not a node of fleet r1; its nodes are r1-00 ({nodes['r1-00']}), r1-01"
            in result["msg"]
        )


def test_a_price_that_has_risen_keeps_the_bad_node(fleet, cloud):
    bad = [ids(fleet())["r1-01"]]
    cloud.calls()
    result = fleet(replace=bad, max_price=1)
    assert result["failed"] and "max_price" in result["msg"] and costly(cloud) == []


def test_the_bad_node_has_ended_before_its_successor_is_asked_for(world):
    before = world.up(3)
    after = world.up(3, replace=(before["r1-01"],))
    life = world.lives()[before["r1-01"]]
    successor = world.lives()[after["r1-01"]]
    assert life.why == "found bad" and life.terminated is not None and life.terminated <= successor.begin
    assert world.sim.cloud.billing.most_paid({"gh200:node": "r1-01"}) == 1 and world.paid() == set(after.values())


def test_what_the_tag_or_the_ledger_says_was_ours_is_not_missed(world):
    before = world.up(1)
    listed = world.client().instances()
    plan.require_members("r1", listed, before.values(), ())
    world.down()
    plan.require_members("r1", world.client().instances(), before.values(), {*before.values()})
    with pytest.raises(plan.PlanError, match="its nodes are none"):
        plan.require_members("r1", [], before.values(), ())
