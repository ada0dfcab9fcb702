# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the cloud does: the fleet is whole in the end, or one sentence says what runs; never two of a node, never
one that nobody knows of.
"""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import spec
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors

from lab.api import bodies
from lab.api.faults import Fault

from .world import LAUNCH, TERMINATE

NODES = ["r1-00", "r1-01", "r1-02", "r1-03"]


def whole(world, size=4):
    """The account has exactly the fleet, and the ledger knows each of it."""
    alive = world.alive()
    assert sorted(alive) == NODES[:size] and all(len(ids) == 1 for ids in alive.values())
    assert world.paid() == {ids[0] for ids in alive.values()} <= set(world.lives())
    assert world.sim.cloud.billing.most_paid({"gh200:fleet": "r1"}) <= size
    return True


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "drop"},
        {"do": "drop", "when": "after"},
        {"do": "garbage"},
        {"do": "garbage", "when": "after"},
        {"do": "half", "when": "after"},
        {"do": "error", "status": 502},
        {"do": "error", "status": 500, "code": "global/internal-error", "when": "after"},
        {"do": "rate"},
        {"do": "rate", "shape": "json"},
        {"do": "rate", "shape": "retry-after"},
        {"do": "refuse", "code": "provider/internal-unavailable", "status": 503},
    ],
    ids=str,
)
def test_a_launch_without_a_clear_answer_is_looked_for_and_never_repeated_blindly(world, fault):
    world.sim.faults.add(Fault(on=LAUNCH, skip=1, **fault))
    world.up(4)
    assert whole(world)
    carried_out = fault.get("when") == "after"
    assert world.count(LAUNCH) == (4 if carried_out else 5)


def test_a_list_that_lags_behind_makes_no_double(world):
    world.sim.faults.add(
        Fault(on="GET /instances", do="lag", seconds=20, times=0), Fault(on=LAUNCH, do="drop", when="after", skip=2)
    )
    world.up(4)
    world.sim.faults.clear()
    assert whole(world) and world.count(LAUNCH) == 4


def test_a_list_that_forgets_what_runs_is_not_believed(world):
    first = world.up(2)
    world.clock.sleep(600)
    world.sim.faults.add(Fault(on="GET /instances", do="lag", seconds=1e6, times=3))
    assert world.up(2) == first and world.count(LAUNCH) == 2
    world.sim.faults.add(Fault(on="GET /instances", do="lag", seconds=1e6, skip=1, times=2))
    assert set(world.down()) == set(first.values()) and world.paid() == set()


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"do": "refuse", "code": "global/quota-exceeded"}, "quota"),
        ({"do": "refuse", "code": "global/invalid-api-key"}, "key"),
        ({"do": "refuse", "code": "global/account-inactive"}, "account"),
        ({"do": "refuse", "code": "global/invalid-parameters"}, "parameters"),
        ({"do": "edge"}, "edge"),
    ],
    ids=str,
)
def test_a_refusal_for_good_ends_at_once_and_keeps_what_was_won(world, fault, kind):
    world.sim.faults.add(Fault(on=LAUNCH, skip=2, times=0, **fault))
    with pytest.raises(spec.FleetError) as caught:
        world.up(4)
    won = world.alive()
    assert sorted(won) == NODES[:2] and world.count(LAUNCH) == 3
    assert caught.value.failure()["kind"] == kind
    assert all(f"{node} ({ids[0]})" in str(caught.value) for node, ids in won.items())
    world.sim.faults.clear()
    world.up(4)
    assert whole(world) and {ids[0] for ids in won.values()} <= world.paid()


def test_capacity_is_waited_for_and_what_was_won_is_kept(world):
    world.sim.faults.add(
        Fault(on=LAUNCH, do="refuse", code="instance-operations/launch/insufficient-capacity", skip=2, times=9)
    )
    world.up(4)
    assert whole(world) and world.count(LAUNCH) == 13
    assert any("refused" in line and "insufficient-capacity" in line and "$" in line for line in world.lines)


def test_a_catalogue_that_shows_nothing_is_not_believed_for_ever(world):
    world.sim.faults.add(Fault(on="GET /instance-types", do="lie", shape="nowhere", times=0))
    begin = world.clock.now()
    world.up(2, blind_interval=300)
    assert whole(world, 2)
    assert 300 <= world.clock.now() - begin <= 300 + 138 + 60
    assert any("won 1 of 2; no capacity is shown; next try in" in line for line in world.lines)


def test_without_capacity_it_ends_at_the_deadline_with_few_launches_spent(world):
    world.sim.cloud.config.capacity["gpu_1x_gh200"] = []
    begin = world.clock.now()
    with pytest.raises(spec.FleetError, match=r"r1-00, r1-01 could not be launched .*Nothing was launched"):
        world.up(2, deadline=3600, blind_interval=300)
    assert 3600 <= world.clock.now() - begin < 3700
    assert 0 < world.count(LAUNCH) <= 13 and world.paid() == set()


@pytest.mark.parametrize("kind", ["stuck", "unhealthy", "vanish", "preempt"])
@pytest.mark.parametrize("after", [0, 60])
def test_an_instance_that_does_not_come_up_is_replaced(world, kind, after):
    world.sim.faults.fate(kind, after=after, skip=1)
    world.up(4, boot_deadline=600)
    assert whole(world) and world.count(LAUNCH) == 5
    assert world.count(TERMINATE) == (0 if kind == "vanish" else 1)


@pytest.mark.parametrize(
    ("kind", "why"), [("stuck", "booting for 10 min"), ("unhealthy", "unhealthy"), ("vanish", "vanished")]
)
def test_what_never_comes_up_is_not_launched_for_ever(world, kind, why):
    world.sim.faults.fate(kind, skip=2, times=0)
    with pytest.raises(spec.FleetError, match=f"r1-0[23] was launched 3 times in this run, .*{why}") as raised:
        world.up(4, deadline=36000, boot_deadline=600, max_replacements=2)
    # The two that came up run, and so may one for the other node that is not known to be bad yet.
    assert "r1-00 (" in str(raised.value) and "r1-01 (" in str(raised.value)
    assert world.count(LAUNCH) <= 2 + 3 + 3
    launches = world.count(LAUNCH)
    with pytest.raises(spec.FleetError, match="was launched 1 times in this run"):
        world.up(4, deadline=36000, boot_deadline=600, max_replacements=0)
    assert world.count(LAUNCH) <= launches + 2


def test_what_breaks_after_the_first_run_is_replaced_by_the_next_one(world):
    first = world.up(4)
    world.sim.faults.fate("vanish", id=first["r1-02"])
    world.sim.faults.fate("unhealthy", id=first["r1-00"])
    second = world.up(4)
    assert whole(world)
    assert {node for node in first if first[node] != second[node]} == {"r1-00", "r1-02"}
    assert world.lives()[first["r1-02"]].gone and world.lives()[first["r1-00"]].terminated


def test_a_status_that_nobody_knows_counts_as_alive(world):
    first = world.up(2)
    world.sim.faults.fate("unknown-status", id=first["r1-01"])
    with pytest.raises(spec.FleetError, match="do not answer"):
        world.up(2, deadline=60)
    assert world.count(LAUNCH) == 2 and world.count(TERMINATE) == 0


def test_a_price_above_the_ceiling_stops_before_the_next_launch(world):
    world.sim.faults.fate("stuck")  # nothing is ready, so it goes on launching
    running = world.fleet(4, max_price=2.5)
    made = running.prepare()
    running.step()
    world.sim.cloud.config.prices["gpu_1x_gh200"] = 300
    with pytest.raises(spec.FleetError, match=r"costs \$3.00/h now, and max_price is \$2.50/h"):
        running.present(made)
    assert sorted(world.alive()) == ["r1-00"]


def test_sixteen_launches_take_the_allowed_pace_and_no_longer(world):
    begin = world.clock.now()
    world.up(16)
    bound = 15 * 12 + 138
    assert bound <= world.clock.now() - begin <= 1.05 * bound
    assert world.count(LAUNCH) == 16 and world.sim.app.state.pacing.refusals == 0


def test_the_first_region_with_capacity_has_the_whole_fleet(world):
    world.sim.cloud.config.capacity["gpu_1x_gh200"] = {"us-east-2": 4, "us-west-1": 4}
    world.up(4, region=("us-east-3", "us-east-2", "us-west-1"), filesystems=())
    assert {item["region"]["name"] for item in world.sim.cloud.instances()} == {"us-east-2"}


def test_regions_without_the_filesystem_do_not_count(world):
    world.sim.cloud.config.capacity["gpu_1x_gh200"] = ["us-west-1", "us-east-3"]
    world.up(2, region=("us-west-1", "us-east-3"))
    assert {item["region"]["name"] for item in world.sim.cloud.instances()} == {"us-east-3"}


def test_two_instances_of_one_node_are_an_error_that_names_both(world):
    first = world.up(2)
    tags = [{"key": key, "value": value} for key, value in (("gh200:fleet", "r1"), ("gh200:node", "r1-00"))]
    world.clock.sleep(12)
    double = world.sim.cloud.launch(
        bodies.Launch(region_name="us-east-3", instance_type_name="gpu_1x_gh200", ssh_key_names=["laptop"], tags=tags)
    )[0]
    with pytest.raises(errors.CloudError, match="Two instances say that they are r1-00 of fleet r1") as caught:
        world.up(2)
    assert first["r1-00"] in str(caught.value) and double in str(caught.value)
    assert world.count(TERMINATE) == 0


def test_an_api_that_is_away_for_a_while_is_waited_for(world):
    world.sim.faults.add(Fault(on="*", do="error", status=503, skip=8, times=40))
    world.up(4)
    assert whole(world)


# -- the end


@pytest.mark.parametrize(
    "fault",
    [
        {"do": "lie"},
        {"do": "drop"},
        {"do": "drop", "when": "after"},
        {"do": "error", "status": 500},
        {"do": "garbage", "when": "after"},
        {"do": "rate"},
    ],
    ids=str,
)
def test_the_end_comes_whatever_terminate_answers(world, fault):
    ids = set(world.up(4).values())
    world.sim.faults.add(Fault(on=TERMINATE, skip=1, times=2, **fault))
    assert set(world.down()) == ids
    assert world.paid() == set() and world.alive() == {}
    assert all(life.gone for life in world.lives().values())


def test_an_end_that_never_comes_is_told_at_the_deadline(world):
    ids = world.up(2)
    world.sim.faults.add(Fault(on=TERMINATE, do="lie", times=0))
    begin = world.clock.now()
    with pytest.raises(spec.FleetError) as caught:
        world.down(deadline=600)
    assert all(instance_id in str(caught.value) for instance_id in ids.values())
    assert 600 <= world.clock.now() - begin < 700
    assert world.count(TERMINATE) >= 2 * 600 / 65


def test_the_end_waits_for_a_launch_whose_fate_is_unknown(world):
    running = world.fleet(1)
    running.prepare()
    world.sim.faults.add(
        Fault(on=LAUNCH, do="drop", when="after"), Fault(on="GET /instances", do="lag", seconds=25, times=0)
    )
    running.step()
    assert len(world.paid()) == 1
    world.down()
    assert world.paid() == set()


def test_a_node_that_is_told_to_end_by_another_is_no_error(world):
    ids = world.up(2)
    world.sim.cloud.terminate([ids["r1-01"]])
    world.clock.sleep(100)
    assert world.down() == [ids["r1-00"]]


# -- keys


def test_a_fleet_from_another_control_node_is_refused_until_its_keys_are_accepted(world, monkeypatch):
    ids = world.up(2)
    world.folder += "-elsewhere"
    with pytest.raises(spec.FleetError, match=rf"accept_host_keys: \[{ids['r1-00']}\]"):
        world.up(2)
    with pytest.raises(spec.FleetError, match=ids["r1-01"]):
        world.up(2, accept_host_keys=(ids["r1-00"],))
    assert world.up(2, accept_host_keys=tuple(ids.values())) == ids
    assert set(world.lives()) == set(ids.values())


def test_an_address_that_comes_again_has_the_key_of_the_new_launch(world):
    first = world.up(1)
    known_hosts = pathlib.Path(world.folder, "r1", "known_hosts")
    keys = {line.split()[2] for line in known_hosts.read_text(encoding="utf-8").splitlines()}
    world.sim.faults.fate("unhealthy", id=first["r1-00"])
    world.up(1)
    again = {line.split()[2] for line in known_hosts.read_text(encoding="utf-8").splitlines()}
    assert len(keys) == len(again) == 1 and keys != again
