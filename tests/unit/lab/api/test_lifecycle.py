# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances as time goes by: boot, restart, end, and the fates that they may have."""

from __future__ import annotations

import pytest

from .conftest import LAUNCH


def test_the_address_comes_before_the_boot_ends(account):
    instance_id = account.launch()
    account.wait(24)
    assert not {"ip", "private_ip", "hostname"} & set(account.shown(instance_id))
    account.wait(1)
    assert account.shown(instance_id)["ip"] and account.status(instance_id) == "booting"
    account.wait(112)
    assert account.status(instance_id) == "booting"
    account.wait(1)
    assert account.status(instance_id) == "active"


def test_actions_say_what_is_possible_and_why_not(account):
    instance_id = account.launch()
    actions = account.shown(instance_id)["actions"]
    assert actions["terminate"] == {"available": True}
    assert actions["restart"]["available"] is False and actions["restart"]["reason_code"] == "vm-has-not-launched"
    account.wait(138)
    assert set(account.shown(instance_id)["actions"]) == {"migrate", "rebuild", "restart", "cold_reboot", "terminate"}
    assert all(action == {"available": True} for action in account.shown(instance_id)["actions"].values())
    account.terminate(instance_id)
    assert account.shown(instance_id)["actions"]["terminate"]["reason_code"] == "vm-is-terminating"


def test_a_terminated_instance_is_terminating_then_gone(account):
    instance_id = account.launch()
    account.wait(138)
    assert account.terminate(instance_id)[0]["status"] == "terminating"
    assert account.driver.nodes == {}
    account.wait(60)
    assert account.status(instance_id) == "terminating"
    account.wait(1)
    assert account.refusal("GET", f"/instances/{instance_id}") == (
        404,
        "global/object-does-not-exist",
        "Specified instance does not exist.",
    )
    assert account.listed() == {}


def test_it_may_be_listed_as_terminated_for_a_while(make):
    account = make(retention_seconds=100)
    instance_id = account.launch()
    account.terminate(instance_id)
    account.wait(61)
    assert account.listed()[instance_id]["status"] == "terminated"
    account.wait(100)
    assert account.listed() == {}


def test_terminating_twice_is_no_error_and_changes_nothing(account):
    instance_id = account.launch()
    account.terminate(instance_id)
    account.wait(30)
    assert account.terminate(instance_id)[0]["status"] == "terminating"
    account.wait(31)
    assert account.listed() == {}


def test_a_batch_with_one_unknown_id_is_refused_whole(account):
    instance_id = account.launch()
    assert account.refusal("POST", "/instance-operations/terminate", {"instance_ids": [instance_id, "none"]})[:2] == (
        404,
        "global/object-does-not-exist",
    )
    assert account.status(instance_id) == "booting"


def test_a_batch_ends_as_one(account):
    first, second, third = account.launch(), account.launch(), account.launch()
    assert [item["id"] for item in account.terminate(first, third)] == [first, third]
    assert {item["id"] for item in account.listed().values() if item["status"] == "booting"} == {second}


@pytest.mark.parametrize("body", [{}, {"instance_ids": []}, {"instance_ids": "x"}])
@pytest.mark.parametrize("operation", ["terminate", "restart"])
def test_ids_are_needed(account, operation, body):
    assert account.refusal("POST", f"/instance-operations/{operation}", body)[:2] == (400, "global/invalid-parameters")


def test_only_an_active_instance_is_restarted(account):
    instance_id = account.launch()
    assert account.refusal("POST", "/instance-operations/restart", {"instance_ids": [instance_id]})[:2] == (
        409,
        "global/conflict",
    )
    account.wait(138)
    assert (
        account.data("POST", "/instance-operations/restart", {"instance_ids": [instance_id]})["restarted_instances"][0][
            "id"
        ]
        == instance_id
    )
    assert account.refusal("POST", "/instance-operations/restart", {"instance_ids": ["none"]})[:2] == (
        404,
        "global/object-does-not-exist",
    )


def test_a_name_is_changed_and_nothing_else(account):
    instance_id = account.launch(name="a")
    assert account.data("POST", f"/instances/{instance_id}", {"name": "b", "status": "active"})["name"] == "b"
    assert account.data("POST", f"/instances/{instance_id}", {})["name"] == "b"
    assert account.data("POST", f"/instances/{instance_id}", {"name": ""})["name"] == ""
    assert account.status(instance_id) == "booting"
    assert account.refusal("POST", f"/instances/{instance_id}", {"name": "x" * 65})[:2] == (
        400,
        "global/invalid-parameters",
    )
    assert account.refusal("POST", "/instances/none", {"name": "b"})[:2] == (404, "global/object-does-not-exist")


def test_an_instance_may_have_fields_that_are_in_no_document(make):
    account = make(extra_fields={"is_reserved": False})
    assert account.shown(account.launch())["is_reserved"] is False


def test_an_id_that_is_named_twice_is_terminated_once(account):
    instance_id = account.launch()
    assert len(account.terminate(instance_id, instance_id)) == 1
    assert [event["action"] for event in account.data("GET", "/audit-events")] == ["launched", "terminated"]


def test_no_instance_is_part_of_a_cluster(account):
    account.launch()
    assert account.data("GET", "/instances?cluster_id=x") == []


def test_a_node_that_powers_itself_off_is_unhealthy_and_paid_for(account):
    instance_id = account.launch()
    account.wait(138)
    account.driver.nodes.clear()
    assert account.status(instance_id) == "unhealthy" and account.cloud.paid_now() == [instance_id]


# -- fates


def test_one_that_is_stuck_boots_for_ever(account):
    account.faults.fate("stuck")
    stuck, sound = account.launch(), account.launch()
    account.wait(100_000)
    assert (account.status(stuck), account.status(sound)) == ("booting", "active")


@pytest.mark.parametrize(("after", "before"), [(60, "booting"), (600, "active")])
@pytest.mark.parametrize(
    ("kind", "status"), [("unhealthy", "unhealthy"), ("preempt", "preempted"), ("unknown-status", "hibernating")]
)
def test_one_that_breaks_in_the_boot_or_later_stays_so_and_is_paid_for(account, kind, status, after, before):
    account.faults.fate(kind, after=after)
    instance_id = account.launch()
    account.wait(after - 1)
    assert account.status(instance_id) == before
    account.wait(1)
    assert account.status(instance_id) == status
    account.wait(10_000)
    assert account.status(instance_id) == status and account.cloud.paid_now() == [instance_id]
    account.terminate(instance_id)
    assert account.status(instance_id) == "terminating" and account.cloud.paid_now() == []


def test_one_that_vanishes_is_not_listed_and_not_paid_for_any_more(account):
    account.faults.fate("vanish", after=3300)
    instance_id = account.launch()
    account.wait(3299)
    assert account.status(instance_id) == "active"
    account.wait(1000)
    assert account.listed() == {}
    bill = account.cloud.bill()["items"][instance_id]
    assert (bill["seconds"], bill["is_billing"]) == (3300, False)
    assert account.refusal("POST", "/instance-operations/terminate", {"instance_ids": [instance_id]})[0] == 404


def test_addresses_that_never_come(account):
    account.faults.fate("no-ip")
    account.faults.fate("no-private-ip", skip=1)
    first, second = account.launch(), account.launch()
    account.wait(1000)
    assert not {"ip", "private_ip", "hostname"} & set(account.shown(first)) and account.status(first) == "active"
    assert account.shown(second)["ip"] and "private_ip" not in account.shown(second)


def test_a_filesystem_that_comes_late_is_released_late(account):
    shared = next(item["id"] for item in account.data("GET", "/file-systems") if item["name"] == "shared")
    account.faults.fate("late-filesystem", after=300)
    instance_id = account.launch(file_system_names=["shared"])
    assert account.driver.specs[instance_id].mounts == {}
    account.wait(299)
    assert "file_system_mounts" not in account.shown(instance_id)
    account.wait(1)
    assert account.shown(instance_id)["file_system_mounts"]
    account.terminate(instance_id)
    account.wait(61 + 299)
    assert account.refusal("DELETE", f"/filesystems/{shared}")[1] == "filesystems/filesystem-in-use"
    account.wait(1)
    account.data("DELETE", f"/filesystems/{shared}")


def test_a_fate_for_an_instance_that_is_there_and_its_end(account):
    instance_id = account.launch()
    account.wait(1000)
    account.faults.fate("unhealthy", after=10, id=instance_id)
    assert account.status(instance_id) == "active"
    account.wait(10)
    assert account.status(instance_id) == "unhealthy"
    account.cloud.doom(instance_id, "none")
    assert account.status(instance_id) == "active"
    with pytest.raises(KeyError, match="There is no instance none"):
        account.faults.fate("vanish", id="none")


def test_a_fate_passes_skips_and_counts(account):
    account.faults.fate("vanish", skip=1, times=2)
    ids = [account.launch() for dummy in range(4)]
    assert set(account.listed()) == {ids[0], ids[3]}


def test_an_unknown_fate_is_refused(account):
    with pytest.raises(ValueError, match="use stuck, unhealthy"):
        account.faults.fate("explode")


def test_speed_makes_hours_of_seconds(make):
    account = make(speed=100, request_interval=1.0)
    instance_id = account.launch()
    account.wait(0.01)
    assert account.status(instance_id) == "booting"
    account.wait(1.4)
    assert account.status(instance_id) == "active"
    assert account.cloud.bill()["items"][instance_id]["seconds"] == pytest.approx(141)
    assert account.call("POST", "/instance-operations/launch", LAUNCH).status_code == 429
