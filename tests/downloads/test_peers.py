# SPDX-License-Identifier: GPL-3.0-or-later
"""Sixteen nodes get a model once from the hub and from each other: counted on the wire."""

from __future__ import annotations

import hashlib

from .swarm import NAME, STAGES


def model_size(root):
    return sum(path.stat().st_size for path in (root[0] / "repos" / NAME).iterdir())


def test_the_hub_gives_each_byte_once_and_each_node_gets_its_stage(swarm, hub, root):
    nodes = swarm.add(*[list(STAGES[number // 4]) for number in range(16)])
    swarm.run()
    sent, whole = hub.sent(), model_size(root)
    print(f"hub: {sum(sent.values())} bytes of a model of {whole}: {sum(sent.values()) / whole:.3f}")
    assert sum(sent.values()) <= 1.05 * whole
    for node in nodes:
        got = sent[node.name] + given_to(nodes, node)
        print(f"{node.name}: {got} bytes for a stage of {node.size()}: {got / node.size():.3f}")
        assert node.size() < 0.4 * whole
        assert got <= 1.05 * node.size()
    for node in nodes:
        assert swarm.check(node)[0] == 0
        for name, file in node.manifest()["files"].items():
            content = node.place(name).read_bytes()
            assert content == (root[0] / "repos" / NAME / name).read_bytes()
            assert file["sha256"] in (None, hashlib.sha256(content).hexdigest())
        assert not (node.state / "serve").exists() and not (node.model / ".gh200-partial").exists()


def given_to(nodes, node):
    """Bytes of files that nginx logged for this node's address, on all others."""
    total = 0
    for other in nodes:
        for line in (other.state / "access.log").read_text(encoding="utf-8").splitlines():
            client, size = line.split()[0], int(line.split('"')[2].split()[1])
            total += size if client == node.address and "status.json" not in line else 0
    return total
