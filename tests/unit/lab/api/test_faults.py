# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, over HTTP where the connection matters: each does what it says, before or after the API has acted."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
import requests

from lab.api.faults import Fault
from tests.integration.simulator import FakeClock, simulator

LAUNCH = {"region_name": "us-east-3", "instance_type_name": "gpu_1x_gh200", "ssh_key_names": ["laptop"]}
ON_LAUNCH = "POST /instance-operations/launch"


@pytest.fixture(name="cloud", scope="module")
def served_account():
    """One for all tests of this file; each ends its instances."""
    with simulator(clock=FakeClock()) as running:
        yield running


@pytest.fixture(autouse=True)
def clean(cloud):
    yield
    cloud.faults.clear()
    for instance in cloud.cloud.instances():
        cloud.cloud.terminate([instance["id"]])


def ask(cloud, method, path, body=None, **options):
    headers = {"Authorization": f"Bearer {cloud.key}", "User-Agent": "test"}
    return requests.request(
        method, cloud.url + path, json=body, headers=headers, timeout=10, allow_redirects=False, **options
    )


def launch(cloud):
    return ask(cloud, "POST", "/instance-operations/launch", LAUNCH)


def paid(cloud):
    return len(cloud.cloud.paid_now())


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        ({"do": "refuse"}, 400, "instance-operations/launch/insufficient-capacity"),
        ({"do": "refuse", "code": "global/quota-exceeded"}, 400, "global/quota-exceeded"),
        ({"do": "refuse", "code": "global/account-inactive"}, 403, "global/account-inactive"),
        ({"do": "refuse", "code": "global/internal-error", "status": 409}, 409, "global/internal-error"),
        ({"do": "refuse", "code": "provider/internal-unavailable"}, 503, "provider/internal-unavailable"),
        ({"do": "refuse", "code": "global/something-new"}, 400, "global/something-new"),
        ({"do": "error"}, 502, "Bad gateway"),
        ({"do": "error", "code": "global/internal-error"}, 500, '"code": "global/internal-error"'),
        ({"do": "error", "status": 504}, 504, "Bad gateway"),
        ({"do": "garbage"}, 200, "<html>"),
        ({"do": "rate"}, 429, "error code: 1015"),
        ({"do": "rate", "shape": "json"}, 429, "global/rate-limited"),
        ({"do": "edge"}, 403, "error code: 1010"),
        ({"do": "redirect"}, 301, ""),
    ],
)
def test_another_answer_before_or_after_acting(cloud, fault, status, text, when, made):
    cloud.faults.add(Fault(on=ON_LAUNCH, when=when, **fault))
    answer = launch(cloud)
    assert answer.status_code == status and text in answer.text
    assert paid(cloud) == made
    assert launch(cloud).status_code == 200 and paid(cloud) == made + 1


def test_what_stands_in_front_of_the_api_says_so_in_its_headers(cloud):
    cloud.faults.add(Fault(do="rate", shape="retry-after"), Fault(do="redirect"), Fault(do="garbage"))
    assert ask(cloud, "GET", "/regions").headers["Retry-After"] == "12"
    assert ask(cloud, "GET", "/regions").headers["Location"] == "https://cloud.lambda.ai/api/v1/regions"
    with pytest.raises(requests.exceptions.JSONDecodeError):
        ask(cloud, "GET", "/regions").json()


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_dropped_connection_gives_no_byte(cloud, when, made):
    cloud.faults.add(Fault(on=ON_LAUNCH, do="drop", when=when))
    with pytest.raises(requests.ConnectionError, match="reset"):
        launch(cloud)
    assert paid(cloud) == made
    assert cloud.app.state.calls[-1].status == 0
    assert launch(cloud).status_code == 200


def test_half_an_answer_is_cut_in_the_middle(cloud):
    cloud.faults.add(Fault(on=ON_LAUNCH, do="half"))
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        launch(cloud)
    assert paid(cloud) == 1
    cloud.faults.add(Fault(on=ON_LAUNCH, do="half"))
    headers = {"Authorization": f"Bearer {cloud.key}"}
    answer = requests.post(
        f"{cloud.url}/instance-operations/launch", json=LAUNCH, headers=headers, timeout=10, stream=True
    )
    assert answer.status_code == 200 and int(answer.headers["Content-Length"]) > 40
    answer.close()


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
def test_a_slow_answer_comes_when_the_client_has_gone(cloud, monkeypatch, when, made):
    paused, release, asked = threading.Event(), threading.Event(), []

    async def pause(seconds):
        asked.append(seconds)
        paused.set()
        while not release.is_set():
            await asyncio.sleep(0.01)

    monkeypatch.setattr(cloud.app.state.wire, "pause", pause)
    cloud.faults.add(Fault(on=ON_LAUNCH, do="slow", when=when, seconds=90))
    with pytest.raises(requests.Timeout):
        requests.post(
            f"{cloud.url}/instance-operations/launch",
            json=LAUNCH,
            headers={"Authorization": f"Bearer {cloud.key}"},
            timeout=0.2,
        )
    assert paused.wait(10) and asked == [90]
    assert paid(cloud) == made
    release.set()
    deadline = time.monotonic() + 10
    while cloud.app.state.calls[-1].status != 200 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert paid(cloud) == 1


@pytest.mark.parametrize("operation", ["terminate", "restart"])
def test_a_lie_about_instances_changes_nothing(cloud, operation):
    launch(cloud)
    instance = ask(cloud, "GET", "/instances").json()["data"][0]
    cloud.faults.add(Fault(on=f"POST /instance-operations/{operation}", do="lie"))
    answer = ask(cloud, "POST", f"/instance-operations/{operation}", {"instance_ids": [instance["id"]]})
    assert (
        answer.status_code == 200
        and answer.json()["data"][f"{operation.rstrip('e')}ed_instances"][0]["id"] == instance["id"]
    )
    assert ask(cloud, "GET", f"/instances/{instance['id']}").json()["data"]["status"] == "active"
    assert paid(cloud) == 1 and instance["id"] in cloud.driver.nodes
    ask(cloud, "POST", "/instance-operations/terminate", {"instance_ids": [instance["id"]]})
    assert paid(cloud) == 0


def test_a_lie_about_a_launch_gives_the_id_of_nothing(cloud):
    cloud.faults.add(Fault(on=ON_LAUNCH, do="lie"))
    instance_id = launch(cloud).json()["data"]["instance_ids"][0]
    assert ask(cloud, "GET", f"/instances/{instance_id}").status_code == 404
    assert paid(cloud) == 0 and instance_id not in cloud.driver.nodes


@pytest.mark.parametrize(
    ("create", "body", "path"),
    [
        ("/filesystems", {"name": "lied", "region": "us-east-3"}, "/file-systems"),
        ("/ssh-keys", {"name": "lied", "public_key": "ssh-rsa AAAA"}, "/ssh-keys"),
        ("/firewall-rulesets", {"name": "lied", "region": "us-east-3", "rules": []}, "/firewall-rulesets"),
    ],
)
def test_a_lie_about_a_deletion_or_a_creation(cloud, create, body, path):
    def names():
        return [item["name"] for item in ask(cloud, "GET", path).json()["data"]]

    cloud.faults.add(Fault(on=f"POST {create}", do="lie"), Fault(on=f"DELETE {create}/{{id}}", do="lie"))
    assert ask(cloud, "POST", create, body).status_code == 200 and "lied" not in names()
    made = ask(cloud, "POST", create, body).json()["data"]["id"]
    assert ask(cloud, "DELETE", f"{create}/{made}").status_code == 200 and "lied" in names()
    assert ask(cloud, "DELETE", f"{create}/{made}").status_code == 200 and "lied" not in names()


def test_a_lie_is_still_refused_where_the_truth_would_be(cloud):
    cloud.faults.add(Fault(on="POST /instance-operations/terminate", do="lie"))
    assert ask(cloud, "POST", "/instance-operations/terminate", {"instance_ids": ["none"]}).status_code == 404


@pytest.mark.parametrize(("shape", "regions"), [("everywhere", 17), ("nowhere", 0)])
def test_a_catalogue_that_lies(cloud, shape, regions):
    cloud.faults.add(Fault(on="GET /instance-types", do="lie", shape=shape))
    lied, true = (ask(cloud, "GET", "/instance-types").json()["data"] for dummy in range(2))
    assert {len(item["regions_with_capacity_available"]) for item in lied.values()} == {regions}
    assert len(true["gpu_1x_gh200"]["regions_with_capacity_available"]) == 1


def test_a_list_that_lags_behind_does_not_show_what_is_new(cloud):
    first = launch(cloud).json()["data"]["instance_ids"][0]
    cloud.clock.sleep(20)
    second = launch(cloud).json()["data"]["instance_ids"][0]
    cloud.faults.add(Fault(on="GET /instances", do="lag", seconds=10, times=2))
    assert [item["id"] for item in ask(cloud, "GET", "/instances").json()["data"]] == [first]
    cloud.clock.sleep(10)
    assert [item["id"] for item in ask(cloud, "GET", "/instances").json()["data"]] == [first, second]


def test_a_fault_is_of_its_calls_only(cloud):
    cloud.faults.add(Fault(on="GET /instances/{id}", do="error"))
    assert ask(cloud, "GET", "/instances").status_code == ask(cloud, "GET", "/regions").status_code == 200
    assert ask(cloud, "POST", "/instances/x", {}).status_code == 404
    assert ask(cloud, "GET", "/instances/x").status_code == 502


def test_skips_and_times_are_counted_by_each_fault_by_itself(cloud):
    cloud.faults.add(
        Fault(on="GET /regions", do="error", status=500, times=2),
        Fault(on="GET /regions", do="error", status=503, skip=2),
    )
    assert [ask(cloud, "GET", "/regions").status_code for dummy in range(4)] == [500, 500, 503, 200]
    assert [fault.hits for fault in cloud.faults.items] == [2, 1]


def test_two_faults_of_one_call_follow_each_other(cloud):
    cloud.faults.add(Fault(on="GET /regions", do="error", status=500), Fault(on="GET /regions", do="rate"))
    assert [ask(cloud, "GET", "/regions").status_code for dummy in range(3)] == [500, 429, 200]


def test_zero_times_is_until_cleared(cloud):
    cloud.faults.add(Fault(do="error", times=0))
    assert {ask(cloud, "GET", "/regions").status_code for dummy in range(5)} == {502}
    cloud.faults.clear()
    assert ask(cloud, "GET", "/regions").status_code == 200


def test_a_call_without_the_key_uses_no_fault_up(cloud):
    cloud.faults.add(Fault(do="error"))
    assert requests.get(f"{cloud.url}/regions", timeout=10).status_code == 401
    assert ask(cloud, "GET", "/regions").status_code == 502


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"do": "explode"}, "A fault cannot have do 'explode'"),
        ({"when": "later"}, "A fault cannot have when 'later'"),
        ({"shape": "round"}, "A fault cannot have shape 'round'"),
        ({"on": "launch"}, "A fault cannot be on 'launch'"),
        ({"times": -1}, "A fault cannot have times -1"),
        ({"seconds": "1"}, "A fault cannot have seconds '1'"),
    ],
)
def test_a_wrong_fault_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Fault(**values)
