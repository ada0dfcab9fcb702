# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that a server survives without an error, planted on a lab that runs with pipeline stages: what tells them?

Facts are learned many times over and survive much; what was never trained does not. The table at the end says it.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e import reference
from tests.e2e.running import inventory, on, playbook, server

PLANT = Path(__file__).with_name("plant.py").read_text(encoding="utf-8")
DROP_IN = "/etc/systemd/system/vllm.service.d/fault.conf"
FAULTS = ("a layer dropped", "the partition in one environment only", "two layers exchanged", "half the base of rope")
IN_FILES = {"a layer dropped": "drop", "two layers exchanged": "exchange", "half the base of rope": "rope"}
START_SECONDS, FIRST_TOKEN_SECONDS = 240, 60


class Found(NamedTuple):
    """How many of each are other than transformers has them; the fingerprint's distance in nats."""

    facts: int
    chats: int
    odd: int
    distance: float


class Cluster:
    """The nodes that serve, the folder of the model on each, and transformers' answers to it."""

    def __init__(self):
        self.server, self.expected = server(), reference.load()
        head, self.nodes = inventory()
        self.head = self.nodes[head]
        unit = on(self.head, "systemctl cat vllm")
        self.folder = re.search(r"vllm serve (\S+)", unit)[1]
        assert "--pipeline-parallel-size=1 " not in unit, "These faults need pipeline stages: use a lab of 4 nodes."
        # A fault in files is planted on all nodes, and a layer may lie in two shards.
        assert playbook("playbooks/models.yml", "-e", "gh200_download_files=all")[0] == 0
        self.rules = self.expected["rules"][reference.rule(self.server.version())]

    def plant(self, fault):
        """The fault is there, and vLLM has loaded the model with it."""
        if fault in IN_FILES:
            for node in self.nodes.values():
                on(node, f"sudo python3 - plant {IN_FILES[fault]} {self.folder}", PLANT)
        else:
            text = "[Service]\nUnsetEnvironment=VLLM_PP_LAYER_PARTITION\n"
            on(
                self.head,
                f"sudo mkdir -p $(dirname {DROP_IN}) && sudo tee {DROP_IN} && sudo systemctl daemon-reload",
                text,
            )
        self.restart()

    def mend(self):
        """Everything as it was."""
        for node in self.nodes.values():
            on(node, f"sudo python3 - restore {self.folder}", PLANT)
        on(self.head, f"sudo rm -f {DROP_IN} && sudo systemctl daemon-reload")
        self.restart()

    def restart(self):
        """Until the server answers, which it may never do with a fault; whether it does.

        Its workers on all nodes end with it.
        """
        on(self.head, "sudo systemctl stop vllm")
        on(self.head, "sudo systemctl start vllm")
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                return bool(self.server.get("/models", timeout=5))
            except OSError:
                time.sleep(2)
        return False

    def look(self):
        """What differs from transformers.

        Ranks that disagree may wait for each other for ever: a server that is silent knows nothing.
        """
        if not self.speaks():
            return Found(*(len(self.answers(kind)) for kind in ("fact", "chat", "odd")), float("inf"))
        odd = reference.examine(self.server, self.answers("odd"), self.expected["tokens"], reference.AT_ONCE)
        return Found(self.untrue("fact"), self.untrue("chat"), len(odd.wrong), self.distance())

    def answers(self, kind):
        """Those of transformers by the engine's rule."""
        return [item for item in self.rules["answers"] if item["kind"] == kind]

    def speaks(self):
        """Whether a token comes."""
        try:
            return bool(self.server.get("/completions", {"prompt": "A", "max_tokens": 1}, timeout=FIRST_TOKEN_SECONDS))
        except OSError:
            return False

    def untrue(self, kind):
        """Facts whose text is another, whatever its log-probability."""
        untrue = 0
        for item in self.answers(kind):
            path, body = reference.requests_of(item, self.expected["tokens"])[-1]
            try:
                untrue += reference.said(self.server.get(path, body)).text != item["expect"]
            except OSError:
                untrue += 1
        return untrue

    def distance(self):
        """Of the fingerprint, from that of transformers."""
        try:
            return abs(reference.fingerprint(self.server, self.expected["passage"]) - self.rules["fingerprint"])
        except OSError:
            return float("inf")


@pytest.fixture(name="cluster", scope="module")
def healthy_cluster():
    """It says what transformers says before a fault is planted, and after all of them."""
    cluster, table = Cluster(), {}
    table["none"] = cluster.look()
    assert table["none"][:3] == (0, 0, 0) and table["none"].distance < reference.TOLERANCE
    yield cluster, table
    cluster.mend()
    table["none, afterwards"] = cluster.look()
    print("\n" + "\n".join(rows(table)))
    assert table["none, afterwards"][:3] == (0, 0, 0)


def rows(table):
    """The table for people."""
    yield f"{'fault':40}{'facts wrong':>12}{'chat wrong':>12}{'odd differ':>12}{'fingerprint off by':>20}"
    for fault, found in table.items():
        yield f"{fault:40}{found.facts:>12}{found.chats:>12}{found.odd:>12}{found.distance:>20.5f}"


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(cluster, fault):
    lab, table = cluster
    try:
        lab.plant(fault)
        table[fault] = found = lab.look()
    finally:
        lab.mend()
    print(f"{fault}: {found}", flush=True)
    assert found.odd > 0, "the odd prompts are answered as if nothing had happened"
    assert found.distance > reference.TOLERANCE, "the fingerprint is as if nothing had happened"
