# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules for nftables: which ports are fenced, who is let in, and that ssh always is."""

from __future__ import annotations

import json
import re
import subprocess
from types import SimpleNamespace

import pytest

SETTINGS = {"fleet": ["10.0.0.2", "10.0.0.1"], "ports": [6379, "8000", "10001-19999"], "ssh": [22], "open": {}}


@pytest.fixture(name="fence")
def fence_program(load):
    """The program."""
    return load("ray_cluster/fence.py")


def fenced(text):
    """Spans that the rules fence."""
    inside = re.search(r"tcp dport \{ ([^}]*) \} jump strangers", text)[1]
    return [tuple(map(int, part.split("-"))) for part in inside.split(", ")]


def test_the_ports_that_are_named_and_all_that_a_program_gets_are_fenced(fence):
    assert fenced(fence.rules(SETTINGS, set(), 32768)) == [(6379, 6379), (8000, 8000), (10001, 19999), (32768, 65535)]


def test_a_wider_range_of_the_node_is_fenced_whole(fence):
    assert fenced(fence.rules(SETTINGS, set(), 1024)) == [(1024, 65535)]
    assert fenced(fence.rules(SETTINGS, set(), 15000)) == [(6379, 6379), (8000, 8000), (10001, 65535)]


def test_the_fleet_is_let_in_before_all_others_are_refused(fence):
    text = fence.rules(SETTINGS | {"fleet": ["10.0.0.2", "10.0.0.1", "fd00::1"]}, set(), 32768)
    lines = [line.strip() for line in text.split("chain strangers {")[1].splitlines() if line.strip(" }")]
    assert lines[:2] == ["ip saddr { 10.0.0.1/32, 10.0.0.2/32 } accept", "ip6 saddr { fd00::1/128 } accept"]
    assert lines[-1] == "counter reject with tcp reset"


def test_ssh_is_let_in_wherever_it_listens(fence):
    text = fence.rules(SETTINGS | {"ssh": [22, 40022]}, {2222, 50022}, 1024)
    assert "tcp dport { 22, 2222, 40022, 50022 } accept" in text


def test_a_port_is_opened_to_those_who_are_named(fence):
    opened = {"8000": ["192.0.2.0/25", "192.0.2.128/25", "fd00::/8"], "10001-10010": ["198.51.100.7"]}
    text = fence.rules(SETTINGS | {"open": opened}, set(), 32768)
    assert "tcp dport 8000-8000 ip saddr { 192.0.2.0/24 } accept" in text
    assert "tcp dport 8000-8000 ip6 saddr { fd00::/8 } accept" in text
    assert "tcp dport 10001-10010 ip saddr { 198.51.100.7/32 } accept" in text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"open": {"http": ["192.0.2.1"]}}, "'http' is no port and no range of ports"),
        ({"open": {"70000": ["192.0.2.1"]}}, "'70000' is no port"),
        ({"open": {"9-8": ["192.0.2.1"]}}, "'9-8' is no port"),
        ({"open": {"8000": ["192.0.2.1/24"]}}, r"192\.0\.2\.1/24 has host bits set: write an address or a network"),
        ({"fleet": ["r1-00"]}, "'r1-00' does not appear to be an IPv4 or IPv6 network: write an address"),
    ],
)
def test_a_mistake_is_one_sentence_and_loads_nothing(fence, tmp_path, monkeypatch, wrong, words):
    settings = tmp_path / "fence.json"
    settings.write_text(json.dumps(SETTINGS | wrong), encoding="utf-8")
    monkeypatch.setattr(fence, "load", lambda text: pytest.fail("rules were loaded"))
    with pytest.raises(SystemExit, match=f"^The ports of Ray and vLLM were not fenced on this node: {words}"):
        fence.main(["up", str(settings)])


def test_a_node_without_nft_says_what_is_missing(fence, monkeypatch):
    def missing(*arguments, **options):
        raise FileNotFoundError

    monkeypatch.setattr(fence.subprocess, "run", missing)
    with pytest.raises(SystemExit, match="there is no /usr/sbin/nft; install the package nftables"):
        fence.main(["down"])


def test_what_nft_says_is_told(fence, monkeypatch):
    said = SimpleNamespace(returncode=1, stderr="Error: Could not process rule:\nOperation not permitted\n")
    monkeypatch.setattr(fence.subprocess, "run", lambda *arguments, **options: said)
    with pytest.raises(SystemExit, match="nft says Error: Could not process rule: Operation not permitted"):
        fence.main(["down"])


LISTENING = """\
LISTEN 0      128          0.0.0.0:2222       0.0.0.0:*    users:(("sshd",pid=31,fd=3))
LISTEN 0      4096            [::]:2200          [::]:*    users:(("sshd",pid=7,fd=4),("systemd",pid=1,fd=52))
LISTEN 0      128          0.0.0.0:8000       0.0.0.0:*    users:(("vllm",pid=99,fd=9))
LISTEN 0      128        127.0.0.1:8265       0.0.0.0:*    users:(("sshd-agent",pid=98,fd=9))
"""


def test_the_ports_of_sshd_are_those_it_is_told_and_those_it_has(fence, monkeypatch):
    monkeypatch.setattr(fence, "said", lambda *command: "port 22\nport 9022\n" if "-T" in command else LISTENING)
    assert fence.ssh_ports() == {22, 9022, 2222, 2200}


def test_a_node_without_sshd_has_none(fence, monkeypatch):
    monkeypatch.setattr(fence, "said", lambda *command: "")
    assert fence.ssh_ports() == set()


def test_one_transaction_takes_the_old_rules_away_and_brings_the_new(fence, tmp_path, monkeypatch):
    given = []
    settings = tmp_path / "fence.json"
    settings.write_text(json.dumps(SETTINGS), encoding="utf-8")
    monkeypatch.setattr(fence, "ssh_ports", lambda: {22})

    def run(command, input, **options):
        given.append(input)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(fence.subprocess, "run", run)
    fence.main(["up", str(settings)])
    fence.main(["down"])
    assert given[0].startswith(given[1]) and given[1].splitlines() == [
        "table inet gh200_fence {}",
        "delete table inet gh200_fence",
    ]
    assert given[0].count("{") == given[0].count("}")
