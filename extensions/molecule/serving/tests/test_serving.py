# SPDX-License-Identifier: GPL-3.0-or-later
"""Ray on both nodes and vLLM on the first are services; the environment below them is only read."""

import json

import pytest

PLACE = "/lambda/nfs/shared/molecule-serving"


def is_first(host):
    return host.run("systemctl cat vllm.service").rc == 0


def test_units_run_and_start_at_boot(host):
    for unit in ["ray", "vllm", "gh200-watchdog"] if is_first(host) else ["ray"]:
        assert host.service(unit).is_running and host.service(unit).is_enabled


def test_every_rank_is_given_one_environment(host):
    file = host.file("/etc/gh200/ranks.env")
    assert (file.user, file.mode) == ("root", 0o600)
    assert 'VLLM_PP_LAYER_PARTITION="3,2"' in file.content_string
    assert 'PYTHONDONTWRITEBYTECODE="1"' in file.content_string


def test_nothing_was_written_into_the_environment_while_it_served(host):
    assert host.check_output(f"find {PLACE}/venv -newer {PLACE}/venv/.engine ! -name .engine") == ""


def test_the_key_is_in_no_argument_and_in_no_log(host):
    assert "molecule-key" not in host.check_output("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '")
    assert host.run("journalctl --unit vllm --unit ray | grep --quiet molecule-key").rc == 1


@pytest.mark.parametrize("path", ["/var/lib/gh200/ray/session_latest", "/var/cache/gh200"])
def test_what_they_write_is_theirs(host, path):
    assert host.file(path).user == "ubuntu"


def test_what_listens_on_all_interfaces_is_fenced(host):
    rules = host.check_output("nft list table inet gh200_fence")
    assert "jump strangers" in rules and "reject with tcp reset" in rules
    # The next load says the same: nothing is there twice.
    assert host.run("systemctl reload ray").rc == 0
    assert host.check_output("nft list table inet gh200_fence | grep -c strangers") == "2"


def test_no_other_ray_is_touched(host):
    assert not host.file("/tmp/ray").exists


def test_the_watchdog_hears_both_nodes_and_says_so_on_loopback_alone(host):
    if not is_first(host):
        assert host.run("systemctl cat gh200-watchdog.service").rc != 0
        return
    said = json.loads(
        host.check_output("curl -s --retry 30 --retry-all-errors --retry-delay 2 -f http://127.0.0.1:6401/ready")
    )
    assert (said["ready"], said["phase"], said["culprits"]) == (True, "ready", [])
    assert all(node["counted"] and len(node["ranks"]) == 1 for node in said["nodes"].values())
    assert len(said["nodes"]) == 2
    address = next(node["address"] for node in said["nodes"].values())
    assert host.check_output(f"curl -s -o /dev/null -w '%{{http_code}}' http://{address}:6401/") == "403"


def test_the_state_has_no_key(host):
    if is_first(host):
        assert "molecule-key" not in host.check_output("cat /run/gh200/watchdog/service.json /var/lib/gh200/watchdog/*")
