# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of the API, also with fields that are absent, empty, null or new."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import models

FULL = {
    "id": "0a",
    "name": "r1-00",
    "status": "active",
    "ip": "192.0.2.1",
    "private_ip": "10.0.0.1",
    "hostname": "r1-00",
    "region": {"name": "us-east-3", "description": "x"},
    "instance_type": {
        "name": "gpu_1x_gh200",
        "architecture": "arm64",
        "price_cents_per_hour": 229,
        "specs": {"gpus": 1, "vcpus": 64},
    },
    "ssh_key_names": ["laptop"],
    "file_system_names": ["shared"],
    "tags": [{"key": "gh200:fleet", "value": "r1"}],
    "jupyter_token": "planted",
    "of_next_year": {},
}


def test_an_instance_has_what_the_api_says():
    instance = models.Instance.parse(FULL)
    assert (instance.id, instance.name, instance.status, instance.ip, instance.private_ip) == (
        "0a",
        "r1-00",
        "active",
        "192.0.2.1",
        "10.0.0.1",
    )
    assert (instance.region, instance.instance_type, instance.architecture) == ("us-east-3", "gpu_1x_gh200", "arm64")
    assert (instance.price_cents_per_hour, instance.gpus, instance.ssh_keys, instance.filesystems) == (
        229,
        1,
        ("laptop",),
        ("shared",),
    )
    assert instance.tags == {"gh200:fleet": "r1"}


def test_the_token_of_jupyter_is_not_kept():
    assert "planted" not in repr(models.Instance.parse(FULL))


@pytest.mark.parametrize("raw", [{"id": "0a"}, {"id": "0a"} | dict.fromkeys(set(FULL) - {"id"})])
def test_fields_that_are_absent_or_null_are_empty(raw):
    instance = models.Instance.parse(raw)
    assert (instance.name, instance.status, instance.ip, instance.region, instance.instance_type, instance.gpus) == (
        "",
        "unknown",
        "",
        "",
        "",
        0,
    )
    assert (instance.tags, instance.ssh_keys, instance.filesystems) == ({}, (), ())


def test_a_tag_without_a_value_is_empty():
    assert models.Instance.parse({"id": "0a", "tags": [{"key": "a"}, {"value": "lost"}]}).tags == {"a": ""}


@pytest.mark.parametrize(
    ("status", "gone"),
    [
        ("booting", False),
        ("active", False),
        ("unhealthy", False),
        ("preempted", False),
        ("of-next-year", False),
        ("terminating", True),
        ("terminated", True),
    ],
)
def test_only_what_is_terminated_is_gone(status, gone):
    assert models.Instance.parse({"id": "0a", "status": status}).is_gone is gone


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("", ""),
        (None, ""),
        ("pending", ""),
        ("192.0.2.256", ""),
        ("192.0.2.1; id", ""),
        ("-oProxyCommand=id", ""),
        ("{{ 7 * 7 }}", ""),
    ],
)
def test_only_an_address_is_an_address(text, address):
    assert models.address(text) == address


def test_the_catalogue_has_prices_and_places():
    kind = {"name": "gpu_1x_gh200", "description": "1x GH200", "price_cents_per_hour": 229}
    there = {"instance_type": kind, "regions_with_capacity_available": [{"name": "us-east-3"}]}
    found = models.offers({"gpu_1x_gh200": there, "none": {"instance_type": kind}})
    assert found["gpu_1x_gh200"] == models.Offer("gpu_1x_gh200", "1x GH200", 229, ("us-east-3",))
    assert found["none"].regions == ()


def test_a_launch_asks_for_one_instance_with_one_key():
    body = models.Launch(
        "r1-00", "gpu_1x_gh200", "us-east-3", "laptop", ("shared",), "", "#cloud-config\n{}", {"gh200:fleet": "r1"}
    ).body()
    assert body["ssh_key_names"] == ["laptop"] and body["tags"] == [{"key": "gh200:fleet", "value": "r1"}]
    assert body["name"] == "r1-00" and "quantity" not in body and "image" not in body
