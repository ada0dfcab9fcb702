# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of the model: what the hub sent and to whom, by its own count, and what nodes sent each other, on the wire.

The hub counts bodies, listings too. Between nodes the bridge of their private network counts whole packets of the
peers' port, so that their headers are in it, and what was sent twice.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import NamedTuple

import yaml

from tests.bench.fleet import INVENTORY, REPOSITORY, Fleet, command

PORT = 8612
TABLE = "gh200bench"
RULES = f"""\
table bridge {TABLE} {{
  set taken {{ type ipv4_addr; flags dynamic; size 4096; counter; }}
  chain passing {{
    type filter hook forward priority 0; policy accept;
    ether type ip tcp sport {PORT} update @taken {{ ip daddr }}
  }}
}}
"""
MANIFESTS = "cat ~/models/*/.gh200-manifest.json"


class Bytes(NamedTuple):
    """Of one fleet: the model, what the hub sent for it, and for each node its part of the model and what it took."""

    model: int
    hub: int
    stages: dict[str, int]
    taken: dict[str, int]

    @property
    def hub_ratio(self) -> float:
        """1 where each byte left the hub once."""
        return self.hub / self.model

    @property
    def node_ratio(self) -> float:
        """Of the node that took most for its part."""
        return max(self.taken[host] / size for host, size in self.stages.items())


@contextlib.contextmanager
def counting() -> Iterator[None]:
    """Counts begin anew, and those of the bridge last until the block ends."""
    ask("DELETE")
    subprocess.run(["nft", "-f", "-"], input=RULES, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "bridge", TABLE], check=True)


def passed() -> dict[str, int]:
    """Private address to bytes that came from other nodes' port."""
    found = json.loads(command(["nft", "-j", "list", "set", "bridge", TABLE, "taken"]))
    sets = [item["set"] for item in found["nftables"] if "set" in item]
    elements = [element["elem"] for element in sets[0].get("elem", [])]
    return {element["val"]: element["counter"]["bytes"] for element in elements}


def seen(fleet: Fleet) -> Bytes:
    """To be asked before `counting` ends."""
    values = yaml.safe_load((REPOSITORY / INVENTORY / "group_vars/all.yml").read_text(encoding="utf-8"))
    name = values["gh200_models"][values["gh200_model"]]["repository"]
    counts = [clients for path, clients in ask("GET").items() if f"/{name}/" in path]
    sent: dict[str, int] = {}
    for clients in counts:
        for address, count in clients.items():
            sent[address] = sent.get(address, 0) + count
    between, stages, taken, listing = passed(), {}, {}, {}
    for host, text in fleet.everywhere(MANIFESTS, []).items():
        manifest = json.loads(text)
        listing |= manifest["listing"]
        stages[host] = sum(file["size"] for file in manifest["files"].values())
        known = fleet.hosts[host]
        taken[host] = sent.get(known["ansible_host"], 0) + between.get(known["gh200_address"], 0)
    return Bytes(sum(file["size"] for file in listing.values()), sum(sent.values()), stages, taken)


def ask(method: str) -> dict:
    """The hub's own counts."""
    values = yaml.safe_load((REPOSITORY / INVENTORY / "group_vars/all.yml").read_text(encoding="utf-8"))
    request = urllib.request.Request(f"{values['gh200_hub_endpoint']}/lab/counts", method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
