# SPDX-License-Identifier: GPL-3.0-or-later
"""A restarted API goes on with the account."""

from __future__ import annotations

import json

import pytest

from lab.api.clock import Clock
from lab.api.config import ApiConfig


def test_everything_is_as_it_was(make, tmp_path):
    before = make(state_file=str(tmp_path / "run" / "account.json"))
    instance_id = before.launch(name="n", file_system_names=["shared"])
    before.faults.fate("unhealthy", after=500, id=instance_id)
    before.admin("POST", "/account", {"prices": {"gpu_1x_gh200": 500}, "quota": 1})
    before.data("PUT", "/firewall-rules", {"data": []})
    after = make(state_file=str(tmp_path / "run" / "account.json"), ssh_keys={}, filesystems={})
    after.driver.nodes = before.driver.nodes
    after.wait(400)
    for path in ("/ssh-keys", "/file-systems", "/firewall-rules", "/audit-events", "/instance-types"):
        assert after.data("GET", path) == before.data("GET", path)
    assert after.status(instance_id) == "active" and after.cloud.bill()["items"][instance_id]["seconds"] == 400
    assert (
        after.refusal(
            "POST",
            "/instance-operations/launch",
            {"region_name": "us-east-3", "instance_type_name": "gpu_1x_gh200", "ssh_key_names": ["laptop"]},
        )[1]
        == "global/quota-exceeded"
    )
    after.wait(100)
    assert after.status(instance_id) == "unhealthy"


def test_the_clock_does_not_go_back(make, tmp_path):
    before = make(state_file=str(tmp_path / "account.json"))
    before.admin("POST", "/clock", {"advance": 10_000})
    instance_id = before.launch()
    after = make(state_file=str(tmp_path / "account.json"))
    after.driver.nodes = before.driver.nodes
    assert after.status(instance_id) == "booting"
    after.wait(138)
    assert after.status(instance_id) == "active"


def test_a_file_of_an_earlier_version_is_understood(make, tmp_path):
    before = make(state_file=str(tmp_path / "account.json"))
    instance_id = before.launch(file_system_names=["shared"])
    saved = json.loads((tmp_path / "account.json").read_text(encoding="utf-8"))
    old = {name: saved[name] for name in ("instances", "ssh_keys", "filesystems", "firewall_rules")}
    old["times"] = {instance_id: {"launched": saved["times"][instance_id]["launched"]}}
    del old["instances"][instance_id]["firewall_rulesets"]
    (tmp_path / "account.json").write_text(json.dumps(old), encoding="utf-8")
    after = make(state_file=str(tmp_path / "account.json"))
    after.driver.nodes = before.driver.nodes
    after.wait(138)
    assert after.status(instance_id) == "active"
    assert after.cloud.bill()["items"][instance_id]["seconds"] == 138
    after.terminate(instance_id)
    after.wait(61)
    assert after.listed() == {} and after.cloud.paid_now() == []


def test_settings_are_written_and_read(tmp_path):
    config = ApiConfig(speed=100, capacity={"gpu_1x_gh200": {"us-east-3": 3}}, rate_shape="json")
    (tmp_path / "config.json").write_text(config.dump(), encoding="utf-8")
    assert ApiConfig.load(tmp_path / "config.json") == config


def test_a_clock_goes_on_only():
    clock = Clock(lambda: 100.0)
    clock.not_before(50.0)
    assert clock.now() == 100.0
    clock.advance(7)
    assert clock.now() == 107.0
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
