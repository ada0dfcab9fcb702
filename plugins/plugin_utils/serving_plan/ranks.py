# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which node is which rank and stage in vLLM 0.7.2, and which files of weights it reads."""

from __future__ import annotations

import dataclasses
import re

from .errors import PlanError

LAYER = re.compile(r"model\.layers\.(\d+)\.")


@dataclasses.dataclass(frozen=True)
class Rank:
    """One node with its one GPU. Without a stage, Ray may choose it for any or none."""

    node: str
    address: str
    rank: int | None
    stage: int | None


def order(nodes: dict[str, str], driver: str) -> list[str]:
    """Names of the nodes by rank: the one with the API server, then the others by their address, compared as text."""
    if driver not in nodes:
        raise PlanError(f"The driver {driver} is none of the nodes {', '.join(nodes)}.")
    if len(set(nodes.values())) != len(nodes):
        raise PlanError("Two nodes have the same address, and vLLM refuses that.")
    return sorted(nodes, key=lambda name: (name != driver, nodes[name]))


def ranks(nodes: dict[str, str], driver: str, tensor: int, pipeline: int) -> list[Rank]:
    """Nodes by rank.

    Only the driver is sure with more nodes than GPUs of the shape, for Ray chooses the others, and with fewer, for the
    addresses of those to come decide.
    """
    known = len(nodes) == tensor * pipeline
    return [
        (
            Rank(name, nodes[name], number, number // tensor)
            if known or number == 0
            else Rank(name, nodes[name], None, None)
        )
        for number, name in enumerate(order(nodes, driver))
    ]


def shards(weight_map: dict[str, str], first: int, end: int, layers: int) -> list[str]:
    """Files that a stage of layers `first` to `end` - 1 reads, of a model with so many layers.

    All files that hold no weights are needed beside them.
    """
    return sorted({file for tensor, file in weight_map.items() if _needs(tensor, first, end, layers)})


def _needs(tensor: str, first: int, end: int, layers: int) -> bool:
    """Every rank makes the head. Layers beyond the model's number predict further tokens, and the engine skips them."""
    match = LAYER.match(tensor)
    if match:
        return first <= int(match[1]) < end
    if tensor.startswith("model.embed_tokens."):
        return first == 0
    if tensor.startswith("model.norm."):
        return end == layers
    return True
