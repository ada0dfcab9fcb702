# SPDX-License-Identifier: GPL-3.0-or-later
"""lambda_filesystem: made once, deleted only when nobody has it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError

from lab.api.faults import Fault

from .account import ask, launch, twice

LIST, ADD, INSTANCES = "GET /file-systems", "POST /filesystems", "GET /instances"


@pytest.fixture(name="filesystem")
def one_filesystem(act, cloud):
    """filesystem(name, **options): one run of the task in us-east-3."""

    def filesystem(name="models", **options):
        return act(
            "lambda_filesystem",
            **(cloud.options | {"name": name, "region": "us-east-3", "poll_interval": 0.01} | options),
        )

    return filesystem


def shared(cloud):
    """Id of the filesystem that the account begins with."""
    return next(item["id"] for item in ask(cloud, "GET", "/file-systems") if item["name"] == "shared")


def test_a_name_and_a_region_are_needed(act, cloud):
    with pytest.raises(AnsibleError, match="missing required arguments: name, region"):
        act("lambda_filesystem", **cloud.options)
    assert cloud.calls() == []


def test_a_filesystem_is_made_kept_and_deleted(act, cloud, filesystem):
    made, calls = twice(act, cloud, "lambda_filesystem", name="models", region="us-east-3")
    assert calls == [LIST, ADD, LIST] and cloud.bodies(ADD) == [{"name": "models", "region": "us-east-3"}]
    assert made["diff"] == {"before": "", "after": {"name": "models", "region": "us-east-3"}}
    item = made["filesystem"]
    assert (item["mount_point"], item["is_in_use"], item["bytes_used"], item["dollars_per_month"]) == (
        "/lambda/nfs/models",
        False,
        0,
        0.0,
    )

    again = filesystem()
    assert (again["changed"], again["filesystem"]) == (False, item) and cloud.calls() == [LIST]

    gone, calls = twice(act, cloud, "lambda_filesystem", name="models", region="us-east-3", state="absent")
    assert calls == [LIST, f"DELETE /filesystems/{item['id']}", LIST]
    assert (gone["changed"], gone["filesystem"], gone["diff"]) == (
        True,
        {},
        {"before": made["diff"]["after"], "after": ""},
    )
    assert [item["name"] for item in ask(cloud, "GET", "/file-systems")] == ["shared"]

    cloud.calls()
    assert filesystem(state="absent")["changed"] is False and cloud.calls() == [LIST]


def test_what_it_costs_is_told_from_what_is_in_it(cloud, filesystem):
    cloud.cloud.store.filesystems[shared(cloud)]["bytes_used"] = 641 * 2**30
    assert filesystem("shared")["filesystem"]["dollars_per_month"] == 128.2
    del cloud.cloud.store.filesystems[shared(cloud)]["bytes_used"]
    item = filesystem("shared")["filesystem"]
    assert item["bytes_used"] is None and item["dollars_per_month"] is None


def test_one_in_use_is_refused_with_the_names_of_its_users(cloud, filesystem):
    user, other = launch(cloud, "notebook", file_system_names=["shared"]), launch(cloud, "bystander")
    for check in (True, False):
        cloud.calls()
        refused = filesystem("shared", state="absent", check=check)
        assert refused["failed"] and f"in use by notebook ({user})" in refused["msg"] and other not in refused["msg"]
        assert cloud.calls() == [LIST, INSTANCES]


def test_one_that_is_released_late_is_waited_for(start, act):
    cloud = start(terminate_seconds=0.15)
    user = launch(cloud, "notebook", file_system_names=["shared"])
    ask(cloud, "POST", "/instance-operations/terminate", {"instance_ids": [user]})
    item = shared(cloud)
    cloud.calls()
    gone = act(
        "lambda_filesystem",
        **cloud.options,
        name="shared",
        region="us-east-3",
        state="absent",
        timeout=10,
        poll_interval=0.02,
    )
    calls = cloud.calls()
    assert gone["changed"] and calls[:2] == [LIST, INSTANCES] and calls[-2:] == [f"DELETE /filesystems/{item}", LIST]
    assert calls.count(f"DELETE /filesystems/{item}") == 1


def test_one_that_is_not_released_in_time_is_an_error(start, act):
    cloud = start(terminate_seconds=3600)
    user = launch(cloud, "notebook", file_system_names=["shared"])
    ask(cloud, "POST", "/instance-operations/terminate", {"instance_ids": [user]})
    late = act(
        "lambda_filesystem",
        **cloud.options,
        name="shared",
        region="us-east-3",
        state="absent",
        timeout=0,
        poll_interval=0,
    )
    assert (
        late["failed"]
        and "still in use after 0 s" in late["msg"]
        and not [call for call in cloud.calls() if call.startswith("DELETE")]
    )


def test_a_deletion_that_is_refused_as_in_use_is_tried_again(cloud, filesystem):
    call = f"DELETE /filesystems/{shared(cloud)}"
    cloud.faults.add(
        Fault(on="DELETE /filesystems/{id}", do="refuse", code="filesystems/filesystem-in-use", status=400)
    )
    cloud.calls()
    assert filesystem("shared", state="absent")["changed"] and cloud.calls() == [LIST, call, LIST, call, LIST]


def test_two_of_one_name_are_an_error_with_both_ids(cloud, filesystem):
    first = shared(cloud)
    cloud.cloud.store.filesystems["second"] = cloud.cloud.store.filesystems[first] | {"id": "second"}
    for state in ("present", "absent"):
        refused = filesystem("shared", state=state)
        assert refused["failed"] and first in refused["msg"] and "second" in refused["msg"]


def test_a_name_that_another_region_has_is_a_sentence(cloud, filesystem):
    refused = filesystem("shared", region="us-west-1")
    assert (
        refused["failed"] and "It is in us-east-3, and a filesystem cannot move: choose another name" in refused["msg"]
    )
    assert refused["failure"]["code"] == "global/duplicate"


def test_a_creation_whose_answer_is_lost_is_found_and_not_repeated(cloud, filesystem):
    cloud.faults.add(Fault(on=ADD, do="drop", when="after"))
    made = filesystem()
    assert made["changed"] and made["filesystem"]["id"] and cloud.calls() == [LIST, ADD, LIST, LIST]


def test_a_creation_that_was_never_heard_is_an_error_and_not_repeated(cloud, filesystem):
    cloud.faults.add(Fault(on=ADD, do="drop", when="before"))
    refused = filesystem()
    assert (
        refused["failed"]
        and "shows no filesystem named models in us-east-3" in refused["msg"]
        and cloud.calls() == [LIST, ADD, LIST]
    )
    assert filesystem()["changed"]


def test_one_that_is_shown_late_is_waited_for(cloud, filesystem):
    cloud.faults.add(Fault(on=LIST, do="lag", seconds=3600, skip=1, times=2))
    made = filesystem()
    assert made["changed"] and made["filesystem"]["id"] and cloud.calls() == [LIST, ADD, LIST, LIST, LIST]
    assert filesystem()["changed"] is False and cloud.calls() == [LIST]


def test_one_that_is_not_shown_in_time_is_an_error_with_its_id(cloud, filesystem):
    cloud.faults.add(Fault(on=LIST, do="lag", seconds=3600, skip=1, times=0))
    late = filesystem(timeout=0)
    (item,) = [item for item in cloud.cloud.store.filesystems.values() if item["name"] == "models"]
    assert (
        late["failed"]
        and f"models ({item['id']}) was created in us-east-3, and after 0 s the account's list does not show it"
        in late["msg"]
    )
    assert cloud.calls().count(ADD) == 1


@pytest.mark.parametrize("shape", ["text", "json"])
def test_a_creation_that_came_too_fast_is_asked_for_again_after_a_look(cloud, filesystem, shape):
    cloud.faults.add(Fault(on=ADD, do="rate", shape=shape, times=2))
    assert filesystem()["changed"] and cloud.calls() == [LIST, ADD, LIST, ADD, LIST, ADD, LIST]


def test_a_quota_is_a_sentence_with_its_code(cloud, filesystem):
    cloud.faults.add(Fault(on=ADD, do="refuse", code="global/quota-exceeded", status=400))
    refused = filesystem()
    assert (
        refused["failed"]
        and refused["failure"] == {"kind": "quota", "code": "global/quota-exceeded", "status": 400}
        and cloud.calls() == [LIST, ADD]
    )


def test_a_deletion_whose_answer_is_lost_is_no_error(cloud, filesystem):
    filesystem()
    cloud.faults.add(Fault(on="DELETE /filesystems/{id}", do="drop", when="after"))
    cloud.calls()
    assert filesystem(state="absent")["changed"]
    assert [call.partition("/")[0] for call in cloud.calls()][:3] == ["GET ", "DELETE ", "DELETE "]
    assert filesystem(state="absent")["changed"] is False


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": "nan"}, "timeout is nan, and must be a number from 0 to 315360000."),
        ({"timeout": "1e18"}, "timeout is 1e18, and must be"),
        ({"poll_interval": -1}, "poll_interval is -1, and must be"),
        ({"poll_interval": True}, "poll_interval is True, and must be"),
        ({"request_interval": float("inf")}, "request_interval is inf, and must be"),
        ({"request_timeout": "soon"}, "request_timeout is soon, and must be"),
    ],
)
def test_a_number_that_nobody_means_is_refused_before_any_call(cloud, filesystem, options, words):
    refused = filesystem(**options)
    assert refused["failed"] and refused["msg"].startswith(words) and refused["failure"] == {} and cloud.calls() == []


def test_a_number_of_the_environment_is_looked_at_too(act, cloud, monkeypatch):
    monkeypatch.setenv("LAMBDA_REQUEST_INTERVAL", "-inf")
    refused = act("lambda_region_info", api_url=cloud.url, api_key=cloud.key)
    assert (
        refused["msg"].startswith("request_interval is -inf, and must be a number from 0 to 315360000.")
        and cloud.calls() == []
    )
