# SPDX-License-Identifier: GPL-3.0-or-later
"""The straight path of a fleet: declared, adopted, launched one by one, ended."""

from __future__ import annotations

import json

import pytest

TYPES, LIST, LAUNCH, TERMINATE = (
    "GET /instance-types",
    "GET /instances",
    "POST /instance-operations/launch",
    "POST /instance-operations/terminate",
)


@pytest.fixture(name="fleet")
def declared_fleet(act, cloud, tmp_path):
    """fleet(size, **options): one run of the task."""

    def fleet(size=2, name="r1", **options):
        told = {
            "region": "us-east-3",
            "ssh_key_name": "laptop",
            "filesystems": ["shared"],
            "wait_for_ssh": False,
            "poll_interval": 0.01,
            "settle_time": 0.2,
            "state_dir": str(tmp_path / "state"),
            "deadline": 10,
        }
        state = {"state": "absent"} if size is None else {"size": size}
        return act("lambda_fleet", name=name, **(cloud.options | told | state | options))

    return fleet


def test_a_fleet_is_launched_one_by_one_and_then_adopted(fleet, cloud):
    first = fleet(3)
    assert (first["changed"], first["launched"], first["adopted"]) == (True, ["r1-00", "r1-01", "r1-02"], [])
    calls = cloud.calls()
    assert calls[:4] == [LIST, "GET /file-systems", "GET /ssh-keys", TYPES]
    assert calls.count(LAUNCH) == 3 and TERMINATE not in calls
    second = fleet(3)
    assert (second["changed"], second["launched"], second["adopted"]) == (False, [], ["r1-00", "r1-01", "r1-02"])
    assert cloud.calls() == [LIST, LIST]
    assert [node["id"] for node in second["fleet"]["nodes"]] == [node["id"] for node in first["fleet"]["nodes"]]


def test_a_launch_asks_for_exactly_what_was_declared(fleet, cloud):
    fleet(1, image_family="lambda-stack-22-04", user_data={"packages": ["jq"]}, max_life=3600)
    (body,) = cloud.bodies(LAUNCH)
    tags = {tag["key"]: tag["value"] for tag in body.pop("tags")}
    data = body.pop("user_data")
    assert body == {
        "region_name": "us-east-3",
        "instance_type_name": "gpu_1x_gh200",
        "ssh_key_names": ["laptop"],
        "file_system_names": ["shared"],
        "name": "r1-00",
        "hostname": "r1-00",
        "image": {"family": "lambda-stack-22-04"},
    }
    assert tags["gh200:fleet"] == "r1" and tags["gh200:node"] == "r1-00"
    assert int(tags["gh200:expires"]) - int(tags["gh200:launched"]) == 3600
    config = json.loads(data.removeprefix("#cloud-config\n"))
    assert config["packages"] == ["jq"] and config["ssh_keys"]["ed25519_public"].startswith("ssh-ed25519 ")


def test_check_mode_predicts_the_launch_and_asks_only(fleet, cloud):
    predicted = fleet(2, check=True, diff=True)
    assert all(call.startswith("GET ") for call in cloud.calls())
    real = fleet(2, diff=True)
    assert (predicted["changed"], predicted["launched"], predicted["diff"]) == (
        real["changed"],
        real["launched"],
        real["diff"],
    )


def test_a_smaller_fleet_is_refused_without_leave_and_never_loses_its_head(fleet, cloud):
    ids = {node["name"]: node["id"] for node in fleet(3)["fleet"]["nodes"]}
    refused = fleet(1)
    assert refused["failed"] and "r1-01, r1-02" in refused["msg"] and "allow_shrink" in refused["msg"]
    predicted = fleet(1, allow_shrink=True, check=True)
    cloud.calls()
    real = fleet(1, allow_shrink=True)
    assert real["terminated"] == predicted["terminated"] == [ids["r1-01"], ids["r1-02"]]
    assert cloud.bodies(TERMINATE) == [{"instance_ids": [ids["r1-01"]]}, {"instance_ids": [ids["r1-02"]]}]
    assert [node["id"] for node in real["fleet"]["nodes"]] == [ids["r1-00"]]


def test_the_end_terminates_this_fleet_alone_and_the_second_time_nothing(fleet, cloud, tmp_path):
    others = {fleet(1, name=name)["fleet"]["nodes"][0]["id"] for name in ("r2", "r1-prod")}
    ids = [node["id"] for node in fleet(2)["fleet"]["nodes"]]
    ended = fleet(None)
    assert ended["changed"] and sorted(ended["terminated"]) == sorted(ids)
    assert [body["instance_ids"] for body in cloud.bodies(TERMINATE)] == [
        [instance_id] for instance_id in ended["terminated"]
    ]
    assert {item["id"] for item in cloud.cloud.instances() if item["status"] != "terminated"} == others
    assert not (tmp_path / "state/r1/known_hosts").exists() and not (tmp_path / "state/r1/hostkeys").exists()
    cloud.calls()
    again = fleet(None)
    assert not again["changed"] and TERMINATE not in cloud.calls()


def test_known_hosts_has_name_and_addresses_of_every_node(fleet, tmp_path):
    nodes = fleet(2)["fleet"]["nodes"]
    lines = [line.split() for line in (tmp_path / "state/r1/known_hosts").read_text(encoding="utf-8").splitlines()]
    for node in nodes:
        keys = {
            key
            for name, kind, key in lines
            if name in (node["name"], node["ip"], node["private_ip"]) and kind == "ssh-ed25519"
        }
        assert len(keys) == 1 and sum(line[2] in keys for line in lines) == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"size": 0}, "must be 1 to 100"),
        ({"size": 2, "name": "R1"}, "must begin with a lower-case letter"),
        ({"size": 2, "instance_type": "gpu_1x_gh20"}, "There is no instance type gpu_1x_gh20"),
        ({"size": 2, "ssh_key_name": "lapptop"}, "no ssh key named 'lapptop'"),
        ({"size": 2, "filesystems": ["shard"]}, "no filesystem named shard"),
        ({"size": 2, "region": "us-west-1"}, "The filesystem shared is in us-east-3"),
        ({"size": 2, "firewall_rulesets": ["web"]}, "no firewall ruleset named web"),
        ({"size": 2, "max_price": 2.0}, "costs $2.29/h now, and max_price is $2.00/h"),
        ({"size": 2, "max_fleet_price": 4.5}, "would cost $4.58/h"),
        ({"size": True}, "The size of fleet r1 is True, and must be a whole number from 1 to 100"),
        ({"size": "1e2"}, "The size of fleet r1 is '1e2', and must be"),
        ({"size": "1e18"}, "The size of fleet r1 is '1e18', and must be"),
        ({"size": 10**18}, "The size of fleet r1 is 1000000000000000000; it must be 1 to 100"),
        ({"size": -3}, "The size of fleet r1 is -3; it must be 1 to 100"),
        *[
            ({"size": 2, name: value}, f"{name} is {float(value):g}, and must be a number from 0 to 315360000")
            for name in ("deadline", "poll_interval", "max_price", "max_life", "settle_time")
            for value in (-1, "nan", "inf", "-inf", 1e18)
        ],
        ({"size": 2, "user_data": {"ssh_keys": {}}}, "leave them out"),
    ],
)
def test_a_mistake_is_one_sentence_and_launches_nothing(fleet, cloud, options, sentence):
    result = fleet(**options)
    assert result["failed"] and sentence in result["msg"] and "\n" not in result["msg"]
    assert LAUNCH not in cloud.calls()


@pytest.mark.parametrize("value", [-1, "nan", "inf", 1e18])
def test_the_reaper_takes_no_time_that_no_clock_knows(act, cloud, value):
    refused = act("lambda_reap", **cloud.options, poll_interval=value)
    assert refused["failed"] and "poll_interval is " in refused["msg"] and not cloud.calls()


def test_a_wrong_key_is_told_apart(fleet):
    result = fleet(1, api_key="wrong")
    assert (
        result["failure"] == {"kind": "key", "code": "global/invalid-api-key", "status": 401}
        and "LAMBDA_API_KEY" in result["msg"]
    )


def test_no_key_at_all_is_one_sentence(fleet):
    assert "There is no Lambda API key" in fleet(1, api_key="")["msg"]
