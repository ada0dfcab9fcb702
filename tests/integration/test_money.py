# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet has cost, what still costs, and what is past its life."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import overview, receipt, spec
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.receipt_page import render
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import models

from lab.api.faults import Fault

from .world import LAUNCH, TERMINATE

QUICK = {"wait_for_ssh": False, "poll_interval": 0.01, "settle_time": 0.2, "deadline": 10}


@pytest.fixture(name="state")
def state_folder(tmp_path):
    """Where ledgers and receipts are."""
    return tmp_path / "state"


@pytest.fixture(name="task")
def one_task(act, cloud, state):
    """task(module, **options) against the simulator."""

    def task(module, check=False, **options):
        where = {} if module == "lambda_fleet_info" else {"state_dir": str(state)}
        return act(module, check=check, **(cloud.options | where | options))

    return task


@pytest.fixture(name="launch")
def launched_fleet(task):
    """launch(name, size, **options): ids."""

    def launch(name, size=2, **options):
        result = task(
            "lambda_fleet",
            name=name,
            size=size,
            region="us-east-3",
            ssh_key_name="laptop",
            filesystems=["shared"],
            **(QUICK | options),
        )
        return [node["id"] for node in result["fleet"]["nodes"]]

    return launch


def test_the_receipt_is_an_upper_bound_of_the_bill_and_close_to_it(world):
    world.up(4)
    world.clock.sleep(3600)
    world.sim.faults.fate("unhealthy", id=world.up(4)["r1-03"])
    world.up(4)
    world.clock.sleep(1800)
    world.down()
    made = receipt.make("r1", world.lives().values(), world.client().instances(), {}, world.clock.now())
    bill = sum(item["dollars"] for item in world.sim.cloud.bill()["items"].values() if item["kind"] == "instance")
    assert made["complete"] and made["total"]["instances"] == 5
    # At most two minutes more for each instance: a begun one, and the pace of the calls.
    assert bill <= made["total"]["dollars"] <= bill + 5 * 2 * 2.29 / 60
    assert {row["why"] for row in made["nodes"]} == {"", "unhealthy"}


def test_a_termination_that_had_no_effect_does_not_end_the_bill(world):
    world.up(1)
    world.sim.faults.add(Fault(on=TERMINATE, do="lie"))
    with pytest.raises(spec.FleetError):
        world.down(deadline=10)
    world.clock.sleep(36000)
    world.down()
    assert world.paid() == set() and world.bill() > 22.9
    assert world.bill() <= world.receipt() <= world.bill() + 3 * 2.29 / 60


def test_an_end_that_came_by_itself_after_a_termination_without_effect_is_counted(world):
    (node,) = world.up(1).values()
    world.sim.faults.add(Fault(on=TERMINATE, do="lie"))
    world.sim.faults.fate("vanish", id=node, after=170)
    world.down(resend_interval=600)
    assert world.bill() <= world.receipt() <= world.bill() + 3 * 2.29 / 60


def test_a_node_that_terminate_does_not_know_is_paid_for_until_asking_by_id_says_the_same(world):
    world.up(1)
    world.sim.faults.add(Fault(on=TERMINATE, do="refuse", code="global/object-does-not-exist", status=404, times=60))
    world.down(resend_interval=1800)
    assert world.paid() == set()
    assert world.bill() <= world.receipt() <= world.bill() + 3 * 2.29 / 60


def test_what_is_shown_again_after_it_was_gone_is_paid_for(world):
    (node,) = world.up(1).values()
    world.sim.faults.add(
        Fault(on="GET /instances", do="lag", seconds=1e6),
        Fault(on="GET /instances/{id}", do="refuse", code="global/object-does-not-exist", status=404),
    )
    world.down()
    assert world.paid() == {node}
    world.clock.sleep(36000)
    assert world.bill() <= world.receipt()
    world.down()
    assert world.bill() <= world.receipt() <= world.bill() + 3 * 2.29 / 60


def test_a_launch_that_never_showed_is_counted_to_the_moment_at_which_it_was_missed(world):
    running = world.fleet(1)
    running.prepare()
    world.sim.faults.fate("vanish", after=20)
    world.sim.faults.add(
        Fault(on=LAUNCH, do="drop", when="after"), Fault(on="GET /instances", do="lag", seconds=25, skip=1, times=0)
    )
    running.step()
    world.down()
    assert world.lives() == {} and 0 < world.bill() <= world.receipt() <= 3 * 2.29 / 60


def test_a_node_that_shows_a_higher_price_than_the_catalogue_is_counted_at_that(world):
    running = world.fleet(1)
    made = running.prepare()
    running.launcher.terms.look = lambda client: running.launcher.terms.offer  # what it was a moment ago
    world.sim.cloud.config.prices["gpu_1x_gh200"] = 900
    running.present(made)
    world.clock.sleep(36000)
    world.down()
    assert world.bill() > 90 and world.bill() <= world.receipt()


def test_a_receipt_is_written_once_when_nothing_is_paid_for_any_more(task, launch, state):
    ids = launch("r1")
    refused = task("lambda_receipt", name="r1")
    assert refused["failed"] and all(instance_id in refused["msg"] for instance_id in ids)
    assert not task("lambda_receipt", name="r1", fail_if_billing=False)["changed"]
    task("lambda_fleet", name="r1", state="absent", **QUICK)
    predicted = task("lambda_receipt", name="r1", check=True)
    assert predicted["changed"] and not (state / "r1/receipts").exists()
    made = task("lambda_receipt", name="r1")
    kept = json.loads(Path(made["json"]).read_text(encoding="utf-8"))
    assert kept == made["receipt"] and sorted(row["id"] for row in kept["nodes"]) == sorted(ids)
    assert all(instance_id in Path(made["page"]).read_text(encoding="utf-8") for instance_id in ids)
    again = task("lambda_receipt", name="r1")
    assert (
        not again["changed"] and again["receipt"]["nodes"] == [] and len(list((state / "r1/receipts").iterdir())) == 2
    )


def test_what_is_not_ours_is_named_and_left_alone(task, launch, cloud):
    neighbour = launch("r1-prod", 1)[0]
    launch("r1", 1)
    task("lambda_fleet", name="r1", state="absent", **QUICK)
    made = task("lambda_receipt", name="r1")
    assert [(item["id"], item["fleet"]) for item in made["receipt"]["not_ours"]] == [(neighbour, "r1-prod")]
    assert any(neighbour in line and "of fleet r1-prod" in line for line in made["lines"])
    assert neighbour not in str(cloud.bodies(TERMINATE))


def test_a_launch_that_is_not_clear_yet_has_no_receipt(task, state):
    (state / "r1").mkdir(parents=True)
    (state / "r1/ledger.jsonl").write_text(
        '{"event": "intend", "node": "r1-00", "run": "1-a", "time": 1}\n', encoding="utf-8"
    )
    assert "r1-00 (its launch is not clear yet)" in task("lambda_receipt", name="r1")["msg"]


def test_the_page_shows_names_from_the_account_as_text():
    account = receipt.account([], ["<b>"], [], [])
    stranger = models.Instance.parse({"id": "i1", "name": "<script>alert(1)</script>", "status": "active"})
    page = render(receipt.make("r1", [], [stranger], account, 1_800_000_000))
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert not re.search(r"(src|href)=", page)


# -- the end that is stamped at launch


def test_every_node_has_the_end_of_the_fleet_also_one_that_came_later(world):
    first = world.up(2, max_life=7200)
    world.clock.sleep(3000)
    world.sim.faults.fate("unhealthy", id=first["r1-01"])
    world.up(3, max_life=7200)
    stamps = {
        tag["value"]
        for item in world.sim.cloud.instances()
        for tag in item["tags"]
        if tag["key"] == "gh200:expires" and item["status"] == "active"
    }
    assert len(stamps) == 1


def test_what_is_past_its_life_is_ended_and_nothing_else(task, launch, cloud):
    past, young, endless = launch("r1", 2, max_life=0.001), launch("r1-prod", 1, max_life=3600), launch("r2", 1)
    stranger = cloud.cloud.launch(launch_of_a_stranger())
    dry = task("lambda_reap", check=True)
    assert dry["changed"] and sorted(dry["terminated"]) == sorted(past) and not cloud.bodies(TERMINATE)
    assert [node["id"] for node in dry["without_end"]] == endless
    done = task("lambda_reap", poll_interval=0.01)
    assert sorted(done["terminated"]) == sorted(past)
    assert set(cloud.cloud.paid_now()) == {*young, *endless, *stranger}
    assert task("lambda_reap")["changed"] is False
    assert task("lambda_receipt", name="r1")["receipt"]["total"]["instances"] == 2


def test_the_reaper_takes_the_name_of_a_fleet_to_the_letter(task, launch):
    launch("r1-prod", 1, max_life=0.001)
    assert task("lambda_reap", name="r1")["terminated"] == []


def test_status_tells_age_cost_and_end_of_every_fleet(world):
    world.up(2, max_life=7200)
    world.clock.sleep(3600)
    (fleet,) = overview.fleets(world.client().instances(), world.clock.now())
    assert (fleet["name"], fleet["size"], fleet["price_per_hour"]) == ("r1", 2, 4.58)
    assert 2 * 2.29 <= fleet["dollars"] <= 2 * 2.29 * 1.1 and 50 < fleet["minutes_left"] < 60
    assert all(node["age_minutes"] >= 60 and not node["is_expired"] for node in fleet["nodes"])


def launch_of_a_stranger():
    """An instance without our tags."""
    from lab.api.bodies import Launch

    return Launch(region_name="us-east-3", instance_type_name="gpu_1x_gh200", ssh_key_names=["laptop"], name="r1-00")
