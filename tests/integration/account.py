# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of single things need of an account."""

from __future__ import annotations

import requests


def ask(cloud, method: str, path: str, body: dict | None = None):
    """As somebody else who has the key; the data of the answer."""
    answer = requests.request(
        method, cloud.url + path, json=body, headers={"Authorization": f"Bearer {cloud.key}"}, timeout=10
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def launch(cloud, name: str, **more) -> str:
    """An instance that is not ours, unless `tags` says so; its id."""
    body = {"region_name": "us-east-3", "instance_type_name": "gpu_1x_gh200", "ssh_key_names": ["laptop"], "name": name}
    (instance_id,) = ask(cloud, "POST", "/instance-operations/launch", body | more)["instance_ids"]
    return instance_id


def fleet_tags(fleet: str, node: str) -> list[dict]:
    """As lambda_fleet writes them."""
    return [{"key": "gh200:fleet", "value": fleet}, {"key": "gh200:node", "value": node}]


def twice(act, cloud, action: str, **options):
    """A task in check mode and then for good. The check must only read, and say the same.

    Returns the result and the calls of the real run.
    """
    cloud.calls()
    predicted = act(action, check=True, diff=True, **cloud.options, **options)
    asked = cloud.calls()
    assert asked and all(call.startswith("GET ") for call in asked), asked
    real = act(action, diff=True, **cloud.options, **options)
    assert not real.get("failed"), real
    assert (predicted["changed"], predicted["diff"]) == (real["changed"], real["diff"])
    return real, cloud.calls()
