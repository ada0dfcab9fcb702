# SPDX-License-Identifier: GPL-3.0-or-later
"""Host keys: made for one launch, found by ssh, never readable by others."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.host_keys import HostKeys
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import models

RUN = "1800000000-0000000a"
NODE = models.Instance.parse(
    {"id": "0a", "ip": "192.0.2.1", "private_ip": "10.0.0.1", "tags": [{"key": "gh200:run", "value": RUN}]}
)


@pytest.fixture(name="keys")
def keys_of_a_launch(tmp_path):
    """A fleet's keys with one of r1-00."""
    keys = HostKeys(str(tmp_path / "r1"))
    keys.make(RUN, "r1-00")
    return keys


def test_a_public_key_is_one_of_ed25519_and_an_unknown_one_is_empty(keys):
    assert keys.public(RUN).startswith("ssh-ed25519 AAAA") and len(keys.public(RUN).split()) == 2
    assert keys.public("1800000000-0000000b") == ""


def test_cloud_init_gets_the_key_and_what_the_user_wants(keys):
    head, dummy, body = keys.user_data(RUN, "r1-00", {"packages": ["jq"], "ssh_deletekeys": False}).partition("\n")
    content = json.loads(body)
    assert head == "#cloud-config" and content["packages"] == ["jq"] and content["ssh_deletekeys"] is True
    assert content["ssh_keys"]["ed25519_public"].startswith(keys.public(RUN))
    assert content["ssh_keys"]["ed25519_private"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")


def test_ssh_finds_the_key_by_either_address(keys):
    keys.write_known_hosts({"r1-00": NODE})
    for name in ("192.0.2.1", "10.0.0.1"):
        found = subprocess.run(
            ["ssh-keygen", "-F", name, "-f", keys.known_hosts], capture_output=True, text=True, check=True
        ).stdout
        assert keys.public(RUN) in found


def test_the_same_hosts_change_nothing(keys):
    assert keys.write_known_hosts({"r1-00": NODE}) is True
    assert keys.write_known_hosts({"r1-00": NODE}) is False
    assert keys.write_known_hosts({}) is True


def test_the_private_key_is_the_users_own(keys):
    assert os.stat(os.path.join(keys.folder, RUN)).st_mode & 0o777 == 0o600
    assert os.stat(keys.folder).st_mode & 0o777 == 0o700


def test_at_the_end_nothing_leads_to_the_nodes_any_more(keys):
    keys.write_known_hosts({"r1-00": NODE})
    for path in (keys.ssh_config, os.path.join(os.path.dirname(keys.ssh_config), "ledger.jsonl")):
        with open(path, "w", encoding="utf-8") as stream:
            stream.write("x")
    keys.forget_all()
    keys.forget_all()
    assert os.listdir(os.path.dirname(keys.ssh_config)) == ["ledger.jsonl"]
