# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that only look: one read each, nothing changed, filters to the letter."""

from __future__ import annotations

import pytest

from .account import ask, fleet_tags, launch

READS = {
    "lambda_instance_info": (["GET /instances"], ["instances"]),
    "lambda_instance_type_info": (["GET /instance-types"], ["instance_types"]),
    "lambda_region_info": (["GET /regions"], ["regions"]),
    "lambda_image_info": (["GET /images"], ["images"]),
    "lambda_ssh_key_info": (["GET /ssh-keys"], ["ssh_keys"]),
    "lambda_filesystem_info": (["GET /file-systems"], ["filesystems"]),
    "lambda_firewall_info": (["GET /firewall-rulesets/global", "GET /firewall-rulesets"], ["rules", "rulesets"]),
}


@pytest.mark.parametrize("module", READS)
@pytest.mark.parametrize("check", [True, False])
def test_each_reads_once_and_changes_nothing(act, cloud, module, check):
    calls, keys = READS[module]
    result = act(module, check=check, **cloud.options)
    assert result["changed"] is False and "diff" not in result and cloud.calls() == calls
    assert all(isinstance(result[key], list) for key in keys)


@pytest.mark.parametrize("module", READS)
def test_a_wrong_key_is_a_sentence_without_the_key(act, cloud, module):
    result = act(module, **(cloud.options | {"api_key": "secret_planted"}))
    assert result["failed"] and result["failure"] == {"kind": "key", "code": "global/invalid-api-key", "status": 401}
    assert "LAMBDA_API_KEY" in result["msg"] and "secret_planted" not in str(result)


def test_instances_are_filtered_by_exact_values(act, cloud):
    ours = launch(cloud, "r1-00", file_system_names=["shared"], tags=fleet_tags("r1", "r1-00"))
    alike = launch(cloud, "r1-00")
    other = launch(cloud, "r1-prod-00", tags=fleet_tags("r1-prod", "r1-prod-00"))

    def ids(**options):
        return [item["id"] for item in act("lambda_instance_info", **cloud.options, **options)["instances"]]

    assert ids() == [ours, alike, other]
    assert ids(id=alike) == [alike] and ids(id="r1-00") == []
    assert ids(name="r1-00") == [ours, alike] and ids(name="r1") == []
    assert ids(fleet="r1") == [ours] and ids(fleet="r1", name="r1-prod-00") == []
    assert ids(status=["active"]) == [ours, alike, other] and ids(status=["booting", "unhealthy"]) == []
    (item,) = act("lambda_instance_info", **cloud.options, id=ours)["instances"]
    assert (item["fleet"], item["node"], item["price_per_hour"], item["gpus"], item["file_system_names"]) == (
        "r1",
        "r1-00",
        2.29,
        1,
        ["shared"],
    )


def test_instance_types_have_price_architecture_and_where_they_are(act, cloud):
    (gh200,) = act("lambda_instance_type_info", **cloud.options, name="gpu_1x_gh200")["instance_types"]
    assert (gh200["price_per_hour"], gh200["architecture"], gh200["regions"], gh200["memory_gib"]) == (
        2.29,
        "arm64",
        ["us-east-3"],
        432,
    )
    everything = act("lambda_instance_type_info", **cloud.options)["instance_types"]
    assert [item["name"] for item in everything] == sorted(ask(cloud, "GET", "/instance-types"))
    assert act("lambda_instance_type_info", **cloud.options, region="us-east-3")["instance_types"] == [gh200]
    assert act("lambda_instance_type_info", **cloud.options, region="us-west-1")["instance_types"] == []


def test_images_are_filtered_by_exact_values(act, cloud):
    (image,) = act(
        "lambda_image_info", **cloud.options, family="lambda-stack-22-04", region="us-east-3", architecture="arm64"
    )["images"]
    assert (image["family"], image["region"], image["architecture"]) == ("lambda-stack-22-04", "us-east-3", "arm64")
    assert act("lambda_image_info", **cloud.options, family="lambda-stack")["images"] == []


def test_filesystems_and_keys_are_filtered_by_exact_values(start, act):
    cloud = start(
        filesystems={"shared": "us-east-3", "shared2": "us-west-1"},
        ssh_keys={"laptop": "ssh-ed25519 AAAA a", "laptop2": "ssh-ed25519 BBBB b"},
    )

    def names(module, key, **options):
        return [item["name"] for item in act(module, **cloud.options, **options)[key]]

    assert names("lambda_filesystem_info", "filesystems") == ["shared", "shared2"]
    assert names("lambda_filesystem_info", "filesystems", name="shared") == ["shared"]
    assert names("lambda_filesystem_info", "filesystems", name="shared", region="us-west-1") == []
    assert names("lambda_ssh_key_info", "ssh_keys") == ["laptop", "laptop2"]
    assert names("lambda_ssh_key_info", "ssh_keys", name="laptop") == ["laptop"]


def test_the_firewall_is_shown_in_one_spelling(act, cloud):
    rule = {"protocol": "tcp", "port_range": [443, 443], "source_network": "203.0.113.7", "description": "web"}
    item = ask(cloud, "POST", "/firewall-rulesets", {"name": "web", "region": "us-east-3", "rules": [rule]})
    result = act("lambda_firewall_info", **cloud.options)
    assert [shown["port_range"] for shown in result["rules"] if shown["protocol"] == "tcp"] == [[22, 22]]
    (ruleset,) = result["rulesets"]
    assert (ruleset["id"], ruleset["name"], ruleset["region"]) == (item["id"], "web", "us-east-3")
    assert ruleset["rules"] == [rule | {"source_network": "203.0.113.7/32"}]
