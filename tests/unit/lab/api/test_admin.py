# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin API: what a test from outside can do to the account."""

from __future__ import annotations

import pytest

from .conftest import LAUNCH


def done(account, method, path, body=None):
    answer = account.admin(method, path, body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def mistake(account, path, body):
    answer = account.admin("POST", path, body)
    assert answer.status_code == 400, answer.text
    return answer.json()["error"]


def test_it_needs_no_key_and_is_no_call(account):
    account.client.headers.pop("Authorization")
    assert done(account, "GET", "/faults") == {"faults": [], "fates": []}
    assert account.app.state.calls == [] and account.client.get("/api/v1/admin/faults").status_code == 401


def test_faults_are_set_shown_and_cleared(account):
    done(account, "POST", "/faults", {"on": "GET /regions", "do": "rate", "times": 2})
    done(account, "POST", "/faults", {"fate": "stuck", "skip": 1})
    assert account.call("GET", "/regions").status_code == 429
    shown = done(account, "GET", "/faults")
    assert [(fault["do"], fault["times"], fault["hits"]) for fault in shown["faults"]] == [("rate", 2, 1)]
    assert [(fate["kind"], fate["skip"]) for fate in shown["fates"]] == [("stuck", 1)]
    done(account, "DELETE", "/faults")
    assert account.call("GET", "/regions").status_code == 200


def test_a_fate_of_coming_launches(account):
    done(account, "POST", "/faults", {"fate": "stuck"})
    stuck = account.launch()
    account.wait(1000)
    assert account.status(stuck) == "booting"


def test_an_instance_is_changed_now(account):
    instance_id = account.launch()
    assert done(account, "POST", f"/instances/{instance_id}", {"status": "active"})["status"] == "active"
    assert done(account, "POST", f"/instances/{instance_id}", {"status": "migrating"})["status"] == "migrating"
    account.wait(1000)
    assert account.status(instance_id) == "migrating"
    assert done(account, "POST", f"/instances/{instance_id}", {"fate": "none"})["status"] == "active"
    assert done(account, "POST", f"/instances/{instance_id}", {"fate": "preempt"})["status"] == "preempted"
    assert done(account, "POST", f"/instances/{instance_id}", {"fate": "vanish"}) == {}
    assert account.listed() == {}


def test_the_account_is_changed(account):
    done(account, "POST", "/account", {"inactive": True})
    assert account.refusal("GET", "/instances")[1] == "global/account-inactive"
    done(account, "POST", "/account", {"inactive": False, "quota": 0})
    assert account.refusal("POST", "/instance-operations/launch", LAUNCH)[1] == "global/quota-exceeded"
    shown = done(
        account, "POST", "/account", {"quota": 1, "capacity": {"gpu_1x_gh200": {"us-east-3": 1}}, "boot_seconds": 5}
    )
    assert shown["quota"] == 1 and shown["boot_seconds"] == 5
    instance_id = account.launch()
    account.wait(5)
    assert account.status(instance_id) == "active"


def test_the_bill_has_its_history(account):
    instance_id = account.launch()
    account.wait(3600)
    bill = done(account, "GET", "/bill")
    assert bill["total"] == bill["items"][instance_id]["dollars"] == 2.29
    assert bill["history"] == [[1_800_000_000.0, "paid", instance_id]] and bill["now"] == 1_800_003_600.0


def test_calls_are_shown_without_their_bodies(account):
    account.data("POST", "/ssh-keys", {"name": "k", "public_key": "ssh-rsa AAAA"})
    shown = done(account, "GET", "/calls")
    assert [(call["method"], call["path"], call["status"]) for call in shown] == [("POST", "/ssh-keys", 200)]
    assert "AAAA" not in str(shown)


def test_the_clock_is_advanced(account):
    instance_id = account.launch()
    assert done(account, "POST", "/clock", {"advance": 138}) == {"now": 1_800_000_138.0}
    assert account.status(instance_id) == "active"
    assert "does not go back" in mistake(account, "/clock", {"advance": -1})


def test_a_script_is_carried_out_as_time_goes_by(account):
    instance_id = account.launch()
    done(
        account,
        "POST",
        "/script",
        [
            {"at": 300, "instance": {"id": instance_id, "fate": "vanish"}},
            {"at": 100, "fault": {"on": "GET /regions", "do": "error", "times": 0}},
            {"at": 200, "clear": True},
            {"at": 400, "account": {"capacity": {}}},
            {"at": 500, "fate": {"kind": "stuck"}},
        ],
    )
    account.wait(99)
    assert account.call("GET", "/regions").status_code == 200
    account.wait(1)
    assert account.call("GET", "/regions").status_code == 502
    account.wait(100)
    assert account.call("GET", "/regions").status_code == 200
    account.wait(250)
    assert account.listed() == {} and account.cloud.bill()["items"][instance_id]["seconds"] == 300
    assert account.refusal("POST", "/instance-operations/launch", LAUNCH)[1].endswith("insufficient-capacity")
    account.wait(50)
    account.call("GET", "/regions")
    assert [fate["kind"] for fate in done(account, "GET", "/faults")["fates"]] == ["stuck"]


def test_a_clock_that_is_advanced_passes_every_step_at_its_time(account):
    instance_id = account.launch()
    steps = [
        {"at": at, "instance": {"id": instance_id, "fate": fate}}
        for at, fate in ((10, "unhealthy"), (20, "none"), (30, "vanish"))
    ]
    done(account, "POST", "/script", steps)
    assert done(account, "POST", "/clock", {"advance": 3600}) == {"now": 1_800_003_600.0}
    assert account.cloud.bill()["items"][instance_id]["seconds"] == 30


def test_a_step_for_an_instance_that_has_gone_is_left_out(account):
    done(
        account,
        "POST",
        "/script",
        [{"at": 1, "instance": {"id": "none", "fate": "vanish"}}, {"at": 1, "account": {"inactive": True}}],
    )
    account.wait(1)
    assert account.refusal("GET", "/regions")[1] == "global/account-inactive"


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/faults", {"do": "explode"}, "A fault cannot have do 'explode'"),
        ("/faults", {"what": 1}, "This is no fault"),
        ("/faults", {"fate": "explode"}, "An instance cannot have the fate 'explode'"),
        ("/instances/none", {"fate": "vanish"}, "There is no instance none."),
        ("/instances/none", {}, "An instance is changed by its id"),
        ("/instances/none", {"fate": "vanish", "status": "active"}, "An instance is changed by its id"),
        ("/account", {"colour": 1}, "An account has no setting 'colour'"),
        ("/account", {"quota": "3"}, "The setting quota cannot be '3'"),
        ("/account", {"prices": {"gpu_9x": 1}}, "There is no instance type gpu_9x."),
        ("/account", {"bytes_used": {"none": 1}}, "There is no filesystem none."),
        ("/script", [{"at": 1, "explode": {}}], "A step has `at` and one of"),
        ("/script", [{"at": 1}], "this one has nothing"),
        ("/script", [{"fault": {"do": "explode"}}], "A fault cannot have do 'explode'"),
        ("/script", [{"account": {"colour": 1}}], "An account has no setting"),
        ("/clock", {}, "advance"),
        ("/script", {"at": 1}, "A script is a list of steps"),
    ],
)
def test_a_mistake_is_one_sentence_and_changes_nothing(account, path, body, sentence):
    assert sentence in mistake(account, path, body)
    assert account.app.state.admin.steps == [] and account.faults.items == [] and account.faults.fates == []
