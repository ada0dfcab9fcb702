# SPDX-License-Identifier: GPL-3.0-or-later
"""Launches: what is granted, what is refused and why, and that a refusal makes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from lab.api import catalogue
from lab.errors import LabError

from .conftest import LAUNCH


def refused(account, **changes):
    result = account.refusal("POST", "/instance-operations/launch", LAUNCH | changes)
    assert account.driver.specs == {} and account.cloud.bill()["total"] == 0
    return result


def test_the_least_that_is_needed_is_enough(account):
    instance = account.shown(account.launch())
    assert instance["status"] == "booting"
    assert instance["ssh_key_names"] == ["laptop"] and instance["file_system_names"] == []
    assert (
        instance["instance_type"]["name"] == "gpu_1x_gh200" and instance["instance_type"]["price_cents_per_hour"] == 229
    )
    assert not {"name", "tags", "file_system_mounts", "firewall_rulesets", "ip", "hostname"} & set(instance)


def test_other_clients_send_a_quantity_and_empty_lists(account):
    account.launch(quantity=1, file_system_names=[], file_system_mounts=[], tags=[], name="x", something="new")
    assert len(account.listed()) == 1


def test_names_may_be_the_same(account):
    assert account.launch(name="r1") != account.launch(name="r1")
    assert [item["name"] for item in account.listed().values()] == ["r1", "r1"]


def test_everything_that_can_be_asked_for_is_shown(account):
    ruleset = account.data("POST", "/firewall-rulesets", {"name": "x", "region": "us-east-3", "rules": []})["id"]
    tags = [{"key": "gh200:fleet", "value": "r1"}, {"key": "ab", "value": ""}]
    instance_id = account.launch(
        name="node",
        hostname="r1-00",
        tags=tags,
        file_system_names=["shared"],
        user_data="#cloud-config\n",
        image={"family": "lambda-stack-22-04"},
        firewall_rulesets=[{"id": ruleset}],
    )
    account.wait(200)
    shown = account.listed()[instance_id]
    assert (shown["name"], shown["hostname"], shown["tags"], shown["firewall_rulesets"]) == (
        "node",
        "r1-00",
        tags,
        [{"id": ruleset}],
    )
    assert (
        shown["file_system_names"] == ["shared"]
        and shown["file_system_mounts"][0]["mount_point"] == "/lambda/nfs/shared"
    )
    assert "user_data" not in shown
    assert account.driver.specs[instance_id].user_data == "#cloud-config\n"
    assert list(account.driver.specs[instance_id].mounts.values()) == ["/lambda/nfs/shared"]
    assert account.driver.specs[instance_id].ssh_public_keys == ["ssh-ed25519 AAAA laptop"]


def test_a_mount_wins_over_the_name_of_the_same_filesystem(account):
    shared = next(item["id"] for item in account.data("GET", "/file-systems") if item["name"] == "shared")
    instance = account.shown(
        account.launch(
            file_system_names=["shared"], file_system_mounts=[{"file_system_id": shared, "mount_point": "/data/models"}]
        )
    )
    assert instance["file_system_mounts"] == [{"file_system_id": shared, "mount_point": "/data/models"}]
    assert instance["file_system_names"] == ["shared"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantity": 2}, "Requested too many instances."),
        ({"ssh_key_names": []}, "ssh_key_names"),
        ({"ssh_key_names": ["laptop", "laptop"]}, "ssh_key_names"),
        ({"region_name": "us-mars-1"}, "us-mars-1"),
        ({"name": "x" * 65}, "name"),
        ({"name": None}, "name"),
        ({"hostname": "Node_1"}, "hostname"),
        ({"hostname": ""}, "hostname"),
        ({"tags": [{"key": "A", "value": ""}]}, "tags.0.key"),
        ({"tags": [{"key": "ab", "value": "x" * 129}]}, "tags.0.value"),
        ({"tags": [{"key": "a" * 56, "value": ""}]}, "tags.0.key"),
        ({"user_data": "x" * (1024 * 1024 + 1)}, "user_data"),
        ({"image": {}}, "image"),
        ({"file_system_mounts": [{"file_system_id": "x", "mount_point": "/root"}]}, "file_system_mounts.0.mount_point"),
        ({"instance_type_name": 5}, "instance_type_name"),
    ],
)
def test_a_wrong_parameter_is_named(account, changes, message):
    status, code, said = refused(account, **changes)
    assert (status, code) == (400, "global/invalid-parameters") and message in said


@pytest.mark.parametrize("missing", ["region_name", "instance_type_name", "ssh_key_names"])
def test_a_missing_parameter_is_named(account, missing):
    body = {name: value for name, value in LAUNCH.items() if name != missing}
    assert account.refusal("POST", "/instance-operations/launch", body) == (
        400,
        "global/invalid-parameters",
        f"{missing}: Field required",
    )


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"instance_type_name": "gpu_9x"}, 400),
        ({"ssh_key_names": ["lapptop"]}, 400),
        ({"file_system_names": ["none"]}, 400),
        ({"image": {"family": "windows"}}, 400),
        ({"image": {"id": "none"}}, 400),
        ({"file_system_mounts": [{"file_system_id": "none", "mount_point": "/data/x"}]}, 404),
        ({"firewall_rulesets": [{"id": "none"}]}, 404),
    ],
)
def test_what_does_not_exist(account, changes, status):
    assert refused(account, **changes)[:2] == (status, "global/object-does-not-exist")


def test_an_image_must_fit_region_and_architecture(account):
    def image(architecture, place):
        return next(
            item["id"]
            for item in catalogue.images()
            if item["architecture"] == architecture and item["region"]["name"] == place
        )

    assert refused(account, image={"id": image("x86_64", "us-east-3")})[1] == "global/object-does-not-exist"
    assert refused(account, image={"id": image("arm64", "us-west-1")})[1] == "global/object-does-not-exist"
    account.launch(image={"id": image("arm64", "us-east-3")})


def test_a_family_of_this_account_reaches_the_node(make):
    account = make(families=["cuda-12-4"])
    assert refused(account, image={"family": "cuda-13"})[1] == "global/object-does-not-exist"
    launched = [account.launch(image={"family": "cuda-12-4"}), account.launch()]
    assert [account.driver.specs[node].image for node in launched] == ["cuda-12-4", ""]


def test_a_filesystem_of_another_region(account):
    assert refused(account, file_system_names=["far"])[:2] == (
        400,
        "instance-operations/launch/file-system-in-wrong-region",
    )


def test_a_ruleset_of_another_region(account):
    ruleset = account.data("POST", "/firewall-rulesets", {"name": "x", "region": "us-west-1", "rules": []})["id"]
    assert refused(account, firewall_rulesets=[{"id": ruleset}])[:2] == (400, "global/invalid-parameters")


def test_a_bad_billing_address(make):
    assert refused(make(invalid_address=True))[:2] == (403, "global/invalid-address")


def test_the_quota_counts_what_is_not_ending(make):
    account = make(quota=2)
    first = account.launch()
    account.launch()
    assert account.refusal("POST", "/instance-operations/launch", LAUNCH)[:2] == (400, "global/quota-exceeded")
    account.terminate(first)
    account.launch()


@pytest.mark.parametrize("capacity", [{}, {"gpu_1x_gh200": ["us-west-1"]}, {"gpu_1x_gh200": {"us-east-3": 0}}])
def test_no_capacity(make, capacity):
    assert refused(make(capacity=capacity))[:2] == (400, "instance-operations/launch/insufficient-capacity")


def test_a_number_of_machines_is_used_up_and_comes_back_when_one_has_gone(make):
    account = make(capacity={"gpu_1x_gh200": {"us-east-3": 2}})
    first = account.launch()
    account.launch()
    assert account.data("GET", "/instance-types")["gpu_1x_gh200"]["regions_with_capacity_available"] == []
    account.terminate(first)
    assert account.refusal("POST", "/instance-operations/launch", LAUNCH)[1].endswith("insufficient-capacity")
    account.wait(61)
    assert (
        account.data("GET", "/instance-types")["gpu_1x_gh200"]["regions_with_capacity_available"][0]["name"]
        == "us-east-3"
    )
    account.launch()


def test_clients_at_the_same_time_share_what_is_there(make):
    account = make(capacity={"gpu_1x_gh200": {"us-east-3": 3}})
    with ThreadPoolExecutor(8) as clients:
        answers = list(
            clients.map(lambda _: account.call("POST", "/instance-operations/launch", LAUNCH).status_code, range(8))
        )
    assert sorted(answers) == [200] * 3 + [400] * 5
    assert len(account.cloud.paid_now()) == account.cloud.most_paid() == 3


def test_a_share_of_launches_misses_though_the_catalogue_says_yes(make):
    account = make(miss_rate=0.5, seed=1)
    answers = [account.call("POST", "/instance-operations/launch", LAUNCH).status_code for dummy in range(40)]
    assert 5 < answers.count(400) < 35 and answers.count(200) == len(account.listed())
    assert account.data("GET", "/instance-types")["gpu_1x_gh200"]["regions_with_capacity_available"]


def test_us_south_1_has_no_private_addresses_and_elsewhere_there_are(make):
    account = make(capacity={"gpu_1x_a6000": ["us-south-1", "us-west-1"]})
    south = account.launch(region_name="us-south-1", instance_type_name="gpu_1x_a6000")
    west = account.launch(region_name="us-west-1", instance_type_name="gpu_1x_a6000")
    account.wait(200)
    assert "private_ip" not in account.listed()[south] and account.listed()[south]["ip"]
    assert account.listed()[west]["private_ip"]


def test_the_hostname_is_the_address_unless_given(account):
    instance_id = account.launch()
    account.wait(30)
    shown = account.listed()[instance_id]
    assert shown["hostname"] == shown["ip"].replace(".", "-")


def test_a_node_that_cannot_be_made_is_an_internal_error_and_leaves_nothing(account, monkeypatch):
    def fail(spec):
        raise LabError("No space left.")

    monkeypatch.setattr(account.driver, "create", fail)
    assert account.refusal("POST", "/instance-operations/launch", LAUNCH) == (
        500,
        "global/internal-error",
        "No space left.",
    )
    assert account.listed() == {} and account.cloud.paid_now() == []
