# SPDX-License-Identifier: GPL-3.0-or-later
"""lambda_instance: one instance, by its exact id."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible_collections.gh200.inference.plugins.action import lambda_instance

from lab.api.faults import Fault

from .account import ask, launch, twice

LIST, TERMINATE, RESTART = "GET /instances", "POST /instance-operations/terminate", "POST /instance-operations/restart"


@pytest.fixture(name="instance")
def one_instance(act, cloud):
    """instance(id, **options): one run of the task."""
    return lambda instance_id, **options: act(
        "lambda_instance", **(cloud.options | {"id": instance_id, "poll_interval": 0.01} | options)
    )


def test_an_id_is_needed_and_a_name_is_not_enough(act, cloud):
    launch(cloud, "notebook")
    cloud.calls()
    for state in ("present", "restarted", "absent"):
        with pytest.raises(AnsibleError, match="missing required arguments: id"):
            act("lambda_instance", **cloud.options, name="notebook", state=state)
    assert cloud.calls() == []


def test_an_id_that_is_a_name_ends_nothing(cloud, instance):
    launch(cloud, "notebook")
    cloud.calls()
    assert instance("notebook", state="absent")["changed"] is False
    assert instance("notebook", state="restarted")["failed"]
    assert cloud.calls() == [LIST, LIST]


def test_an_instance_is_renamed_restarted_and_terminated(act, cloud, instance):
    item, other = launch(cloud, "notebook"), launch(cloud, "notebook")
    named, calls = twice(act, cloud, "lambda_instance", id=item, name="ada")
    assert calls == [LIST, f"POST /instances/{item}"] and cloud.bodies(f"POST /instances/{item}") == [{"name": "ada"}]
    assert (
        named["diff"] == {"before": {"name": "notebook"}, "after": {"name": "ada"}}
        and named["instance"]["name"] == "ada"
    )

    again = instance(item, name="ada")
    assert again["changed"] is False and again["instance"] == named["instance"] and cloud.calls() == [LIST]
    assert instance(item)["changed"] is False and cloud.calls() == [LIST]

    restarted, calls = twice(act, cloud, "lambda_instance", id=item, state="restarted")
    assert restarted["changed"] and calls == [LIST, RESTART] and cloud.bodies(RESTART) == [{"instance_ids": [item]}]

    gone, calls = twice(act, cloud, "lambda_instance", id=item, state="absent")
    assert calls == [LIST, TERMINATE, LIST] and cloud.bodies(TERMINATE) == [{"instance_ids": [item]}]
    assert (gone["changed"], gone["instance"], gone["diff"]) == (
        True,
        {},
        {"before": {"id": item, "name": "ada"}, "after": ""},
    )
    assert [left["id"] for left in ask(cloud, "GET", "/instances") if left["status"] != "terminated"] == [other]

    cloud.calls()
    assert instance(item, state="absent")["changed"] is False and cloud.calls() == [LIST]


def test_an_id_that_is_not_there_is_a_sentence_unless_it_shall_be_absent(cloud, instance):
    for options in ({}, {"name": "ada"}, {"state": "restarted"}):
        refused = instance("0920582c", **options)
        assert refused["failed"] and "0920582c is not there" in refused["msg"] and "state: absent" in refused["msg"]
    assert instance("0920582c", state="absent")["changed"] is False
    assert set(cloud.calls()) == {LIST}


def test_a_termination_is_waited_for_and_one_under_way_is_not_asked_for_again(start, act):
    cloud = start(terminate_seconds=0.15)
    item = launch(cloud, "notebook")
    options = cloud.options | {"id": item, "state": "absent", "poll_interval": 0.02}
    ask(cloud, "POST", "/instance-operations/terminate", {"instance_ids": [item]})
    cloud.calls()
    checked = act("lambda_instance", check=True, **options)
    assert checked["changed"] is False and cloud.calls() == [LIST]
    refused = act("lambda_instance", **(options | {"state": "present"}))
    assert refused["failed"] and f"{item} is terminating" in refused["msg"] and cloud.calls() == [LIST]
    done = act("lambda_instance", **options)
    calls = cloud.calls()
    assert done["changed"] is False and len(calls) > 2 and set(calls) == {LIST}
    assert item not in [left["id"] for left in ask(cloud, "GET", "/instances") if left["status"] != "terminated"]


def test_an_instance_that_does_not_end_in_time_is_an_error(start, act):
    cloud = start(terminate_seconds=3600)
    item = launch(cloud, "notebook")
    late = act("lambda_instance", **cloud.options, id=item, state="absent", timeout=0)
    assert late["failed"] and f"notebook ({item}) is still terminating after 0 s and may be paid for" in late["msg"]


def test_a_termination_whose_answer_is_lost_is_looked_for_and_not_an_error(cloud, instance):
    item = launch(cloud, "notebook")
    cloud.faults.add(Fault(on=TERMINATE, do="drop", when="after"))
    cloud.calls()
    assert instance(item, state="absent")["changed"]
    assert cloud.calls()[0] == LIST and not [
        left for left in ask(cloud, "GET", "/instances") if left["status"] != "terminated"
    ]


def test_a_termination_without_effect_is_asked_for_again_after_a_while(cloud, instance, monkeypatch):
    item = launch(cloud, "notebook")
    cloud.faults.add(Fault(on=TERMINATE, do="lie"))
    cloud.calls()
    late = instance(item, state="absent", timeout=0)
    assert late["failed"] and "still active after 0 s" in late["msg"] and cloud.calls() == [LIST, TERMINATE, LIST]
    cloud.faults.add(Fault(on=TERMINATE, do="lie"))
    monkeypatch.setattr(lambda_instance, "PATIENCE", 0)
    assert instance(item, state="absent")["changed"] and cloud.calls() == [LIST, TERMINATE, LIST, TERMINATE, LIST]


def test_a_restart_that_is_refused_is_a_sentence_and_not_repeated(start, act):
    cloud = start(boot_seconds=3600)
    item = launch(cloud, "notebook")
    cloud.calls()
    refused = act("lambda_instance", **cloud.options, id=item, state="restarted")
    assert refused["failed"] and f"notebook ({item}) is booting and cannot be restarted" in refused["msg"]
    assert refused["failure"]["code"] == "global/conflict" and cloud.calls() == [LIST, RESTART]


def test_a_restart_that_came_too_fast_is_asked_for_again(cloud, instance):
    item = launch(cloud, "notebook")
    cloud.faults.add(Fault(on=RESTART, do="rate"))
    cloud.calls()
    assert instance(item, state="restarted")["changed"] and cloud.calls() == [LIST, RESTART, RESTART]


def test_jupyters_secrets_are_in_no_result(cloud, instance, act):
    item = launch(cloud, "notebook")
    assert "jupyter_token" in ask(cloud, "GET", f"/instances/{item}")
    for result in (
        instance(item, name="ada"),
        instance(item, state="restarted"),
        act("lambda_instance_info", **cloud.options),
    ):
        assert "jupyter" not in str(result)
