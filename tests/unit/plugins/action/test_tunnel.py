# SPDX-License-Identifier: GPL-3.0-or-later
"""What the task tells people, and when two tunnels are the same one."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.action import tunnel as action
from ansible_collections.gh200.inference.plugins.plugin_utils import tunnel

ARGS = {
    "host": "r1-00",
    "ssh_config": "/state/r1/ssh_config",
    "api": "10.0.0.1:8000",
    "dashboard": "127.0.0.1:8265",
    "page": None,
    "key_file": "/state/my r1/api-key",
    "patience": 600,
}


@pytest.fixture(autouse=True)
def ports(monkeypatch):
    """Free ports are the wanted ones and one."""
    monkeypatch.setattr(tunnel, "free_port", lambda wanted: wanted + 1)


def test_the_lines_name_what_there_is_and_the_file_of_the_key():
    made = action.settings_of(ARGS, False)
    assert made["lines"] == [
        "API:       http://127.0.0.1:8001/v1 with the key in /state/my r1/api-key",
        "dashboard: http://127.0.0.1:8266",
        "try:       curl http://127.0.0.1:8001/v1/models -H \"Authorization: Bearer $(cat '/state/my r1/api-key')\"",
    ]
    assert made["forwards"][0] == {"host": "10.0.0.1", "port": 8000, "local": 8001}


def test_the_page_is_named_with_the_api_it_is_for(tmp_path):
    page = tmp_path / "load_test.html"
    missing = action.settings_of(ARGS | {"page": str(page)}, False)
    assert missing["page"] == "" and len(missing["lines"]) == 3
    page.write_text("", encoding="utf-8")
    made = action.settings_of(ARGS | {"page": str(page)}, False)
    assert "load test: http://127.0.0.1:1235/load_test.html#api=http://127.0.0.1:8001/v1" in made["lines"]


def test_without_a_key_none_is_mentioned():
    lines = action.settings_of(ARGS | {"key_file": None}, False)["lines"]
    assert "key" not in " ".join(lines) and lines[-1] == "try:       curl http://127.0.0.1:8001/v1/models"


@pytest.mark.parametrize("api", ["10.0.0.1", ":8000", "10.0.0.1:http"])
def test_an_end_without_a_port_is_refused(api):
    with pytest.raises(tunnel.Broken, match=r"^api is '.*': write it as 10\.0\.0\.10:8000\.$"):
        action.settings_of(ARGS | {"api": api}, False)


def test_ports_that_happened_to_be_free_make_no_other_tunnel(monkeypatch):
    before = action.settings_of(ARGS, True)
    monkeypatch.setattr(tunnel, "free_port", lambda wanted: wanted + 2)
    assert action.without_ports(action.settings_of(ARGS, True)) == action.without_ports(before)
    other = action.settings_of(ARGS | {"api": "10.0.0.2:8000"}, True)
    assert action.without_ports(other) != action.without_ports(before)
