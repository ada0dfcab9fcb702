# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet of which only the head is launched at first, and the others when there is something for them to do."""

from __future__ import annotations

import pytest

from .world import LAUNCH, TERMINATE

NODES = ["r1-00", "r1-01", "r1-02", "r1-03"]


@pytest.fixture(name="fleet")
def declared_fleet(act, cloud, tmp_path):
    """fleet(**options): one run of the task for four nodes."""
    told = {
        "name": "r1",
        "size": 4,
        "region": "us-east-3",
        "ssh_key_name": "laptop",
        "filesystems": ["shared"],
        "wait_for_ssh": False,
        "poll_interval": 0.01,
        "settle_time": 0.2,
        "state_dir": str(tmp_path / "state"),
        "deadline": 10,
    }
    return lambda **options: act("lambda_fleet", **(cloud.options | told | options))


def names(cloud):
    """Nodes that run."""
    return sorted(
        tag["value"]
        for item in cloud.cloud.instances()
        if item["status"] == "active"
        for tag in item["tags"]
        if tag["key"] == "gh200:node"
    )


def test_the_head_comes_first_and_the_others_when_all_are_wanted(fleet, cloud):
    first = fleet(launch="head")
    assert (first["launched"], first["later"]) == (NODES[:1], NODES[1:]) and names(cloud) == NODES[:1]
    assert first["diff"]["after"] == "r1-00: to be launched\n" and first["fleet"]["size"] == 4
    again = fleet(launch="head")
    assert (again["changed"], again["adopted"], again["later"]) == (False, NODES[:1], NODES[1:])
    rest = fleet()
    assert (rest["launched"], rest["adopted"], rest["later"]) == (NODES[1:], NODES[:1], []) and names(cloud) == NODES


def test_what_runs_is_never_ended_by_it(fleet, cloud):
    fleet()
    cloud.calls()
    kept = fleet(launch="head", allow_shrink=True)
    assert (kept["changed"], kept["adopted"], kept["later"]) == (False, NODES, [])
    assert TERMINATE not in cloud.calls() and names(cloud) == NODES


def test_a_head_that_is_gone_is_launched_again_and_a_missing_worker_is_left_for_later(fleet, cloud):
    made = fleet()
    gone = [node["id"] for node in made["fleet"]["nodes"] if node["name"] in ("r1-00", "r1-02")]
    for instance in gone:
        cloud.cloud.terminate([instance])
    done = fleet(launch="head")
    assert (done["launched"], done["adopted"], done["later"]) == (["r1-00"], ["r1-01", "r1-03"], ["r1-02"])


def test_a_bad_worker_is_ended_and_comes_later(fleet):
    made = fleet()
    bad = made["fleet"]["nodes"][3]["id"]
    done = fleet(launch="head", replace=[bad])
    assert (done["terminated"], done["launched"], done["later"]) == ([bad], [], ["r1-03"])


def test_the_limit_of_price_is_that_of_the_whole_fleet(fleet, cloud):
    refused = fleet(launch="head", max_fleet_price=2.29 * 3)
    assert refused["failed"] and "would cost $9.16/h with 4 nodes" in refused["msg"]
    assert LAUNCH not in cloud.calls()


def test_check_mode_predicts_the_head_alone(fleet, cloud):
    done = fleet(check=True, launch="head")
    assert (done["changed"], done["launched"], done["later"]) == (True, NODES[:1], NODES[1:])
    assert LAUNCH not in cloud.calls()


def test_while_the_head_boots_nobody_spins(world):
    """At the documented pace a look at the account costs a second at least."""
    assert list(world.up(16, launch="head")) == ["r1-00"]
    assert any("launching 1 x gpu_1x_gh200" in line and "15 of them later" in line for line in world.lines)
    asked = world.count("GET /instances")
    assert asked < world.clock.time - 1_800_000_000
