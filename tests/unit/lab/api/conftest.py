# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated account in this process, with a clock that moves only when it is told to."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient

from lab.api.app import create_app
from lab.api.config import ApiConfig
from lab.api.drivers import NullDriver

KEY = "secret_test_0000.key"
LAUNCH = {"region_name": "us-east-3", "instance_type_name": "gpu_1x_gh200", "ssh_key_names": ["laptop"]}
# The real lifecycle, without pacing.
SETTINGS = {
    "request_interval": 0,
    "launch_interval": 0,
    "ssh_keys": {"laptop": "ssh-ed25519 AAAA laptop"},
    "filesystems": {"shared": "us-east-3", "far": "us-west-1"},
}


@dataclass
class Account:
    """What a test does with it: calls give the answer; `launch` and `listed` are shortcuts."""

    app: object
    driver: NullDriver
    time: list[float]

    def __post_init__(self):
        self.client = TestClient(self.app, headers={"Authorization": f"Bearer {KEY}"}, follow_redirects=False)
        self.cloud, self.faults = self.app.state.cloud, self.app.state.faults

    def call(self, method, path, body=None, **options):
        return self.client.request(method, f"/api/v1{path}", json=body, **options)

    def data(self, method, path, body=None):
        answer = self.call(method, path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def refusal(self, method, path, body=None):
        """Status, code and message."""
        answer = self.call(method, path, body)
        error = answer.json()["error"]
        return answer.status_code, error["code"], error["message"]

    def admin(self, method, path, body=None):
        return self.client.request(method, f"/admin{path}", json=body)

    def launch(self, **changes):
        """The id of a new instance."""
        return self.data("POST", "/instance-operations/launch", LAUNCH | changes)["instance_ids"][0]

    def terminate(self, *ids):
        return self.data("POST", "/instance-operations/terminate", {"instance_ids": list(ids)})["terminated_instances"]

    def listed(self):
        """Id to instance."""
        return {item["id"]: item for item in self.data("GET", "/instances")}

    def shown(self, instance_id):
        return self.data("GET", f"/instances/{instance_id}")

    def status(self, instance_id):
        return self.shown(instance_id)["status"]

    def wait(self, seconds):
        self.time[0] += seconds


@pytest.fixture(name="make")
def account_factory():
    """make(**settings): an account with these settings of ApiConfig."""

    def make(**settings):
        moment, driver = [1_800_000_000.0], NullDriver()
        return Account(create_app(ApiConfig(**(SETTINGS | settings)), driver, now=lambda: moment[0]), driver, moment)

    return make


@pytest.fixture(name="account")
def usual_account(make):
    """One with the usual settings."""
    return make()
