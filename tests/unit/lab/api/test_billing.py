# SPDX-License-Identifier: GPL-3.0-or-later
"""What is paid for: to the second, at the price of the launch."""

from __future__ import annotations

import pytest

from .conftest import LAUNCH

TAGS = [{"key": "gh200:fleet", "value": "r1"}]


def test_an_instance_is_paid_for_from_its_launch_to_the_accepted_terminate(account):
    instance_id = account.launch(name="n", tags=TAGS)
    account.wait(3600)
    assert account.cloud.paid_now() == [instance_id]
    account.terminate(instance_id)
    assert account.cloud.paid_now() == []
    account.wait(3600)
    item = account.cloud.bill()["items"][instance_id]
    assert (item["seconds"], item["dollars"], item["is_billing"], item["name"]) == (3600, 2.29, False, "n")
    assert account.cloud.bill()["total"] == 2.29


def test_or_from_when_it_works(make):
    account = make(bill_from="active")
    instance_id = account.launch()
    assert account.cloud.paid_now() == []
    account.wait(138 + 100)
    assert account.cloud.bill()["items"][instance_id]["seconds"] == 100
    second = account.launch()
    account.terminate(instance_id, second)
    assert account.cloud.bill()["items"][second]["dollars"] == 0 and account.cloud.paid_now() == []
    assert account.cloud.most_paid() == 1


def test_one_that_broke_in_its_boot_is_paid_for_even_so(make):
    account = make(bill_from="active")
    account.faults.fate("unhealthy", after=10)
    instance_id = account.launch()
    account.wait(10)
    assert account.cloud.paid_now() == [instance_id]


def test_a_new_price_is_for_new_instances(account):
    old = account.launch()
    account.admin("POST", "/account", {"prices": {"gpu_1x_gh200": 458}})
    new = account.launch()
    account.wait(3600)
    items = account.cloud.bill()["items"]
    assert (items[old]["dollars"], items[new]["dollars"]) == (2.29, 4.58)
    assert account.shown(old)["instance_type"]["price_cents_per_hour"] == 229


def test_a_filesystem_is_paid_for_by_what_is_in_it(account):
    shared = next(item for item in account.data("GET", "/file-systems") if item["name"] == "shared")
    month = 730 * 3600
    account.wait(month)
    assert account.cloud.bill()["total"] == 0
    account.admin("POST", "/account", {"bytes_used": {"shared": 641 * 2**30}})
    account.wait(month)
    assert account.cloud.bill()["items"][shared["id"]]["dollars"] == pytest.approx(641 * 0.20)
    account.admin("POST", "/account", {"bytes_used": {"shared": 2**30}})
    account.wait(month)
    assert account.cloud.bill()["items"][shared["id"]]["dollars"] == pytest.approx(642 * 0.20)
    account.data("DELETE", f"/filesystems/{shared['id']}")
    account.wait(month)
    item = account.cloud.bill()["items"][shared["id"]]
    assert item["dollars"] == pytest.approx(642 * 0.20) and item["is_billing"] is False


def test_the_most_that_was_paid_for_at_once_by_tag(account):
    first = account.launch(tags=TAGS)
    account.launch(tags=[{"key": "gh200:fleet", "value": "other"}])
    account.wait(1)
    account.terminate(first)
    account.launch(tags=TAGS)
    assert account.cloud.most_paid({"gh200:fleet": "r1"}) == 1
    assert account.cloud.most_paid() == 2
    account.launch(tags=TAGS)
    assert account.cloud.most_paid({"gh200:fleet": "r1"}) == 2
    assert account.cloud.most_paid({"gh200:fleet": "none"}) == 0
    assert [event for dummy, event, dummy2 in account.cloud.history] == ["paid", "paid", "ended", "paid", "paid"]


def test_one_that_vanished_before_the_next_was_launched_is_not_counted_with_it(account):
    account.faults.fate("vanish", after=10)
    account.launch(tags=TAGS)
    account.wait(20)
    account.launch(tags=TAGS)
    assert account.cloud.most_paid({"gh200:fleet": "r1"}) == 1


def test_what_was_refused_or_dropped_before_acting_costs_nothing(make):
    account = make(capacity={})
    account.call("POST", "/instance-operations/launch", LAUNCH)
    account.wait(3600)
    assert account.cloud.bill()["total"] == 0 and account.cloud.history == []
