# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes by rank, and the files that each needs."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan.errors import PlanError
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan.ranks import order, ranks, shards

NODES = {"a": "10.0.0.2", "b": "10.0.0.10", "c": "10.0.0.9", "head": "10.0.0.3"}
WEIGHTS = {
    "model.embed_tokens.weight": "1",
    "model.layers.0.mlp.up_proj.weight": "1",
    "model.layers.1.mlp.up_proj.weight": "2",
    "model.layers.1.mlp.down_proj.weight": "3",
    "model.layers.10.mlp.up_proj.weight": "4",
    "model.norm.weight": "5",
    "lm_head.weight": "6",
    "model.layers.11.mlp.up_proj.weight": "7",
    "model.unheard_of": "8",
}


def test_the_driver_is_first_and_addresses_are_text():
    assert order(NODES, "head") == ["head", "b", "a", "c"]


def test_a_stage_is_so_many_ranks_as_are_tensor_parallel():
    assert [(rank.node, rank.rank, rank.stage) for rank in ranks(NODES, "head", 2, 2)] == [
        ("head", 0, 0),
        ("b", 1, 0),
        ("a", 2, 1),
        ("c", 3, 1),
    ]


def test_with_a_node_too_many_only_the_driver_is_sure():
    assert [(rank.node, rank.stage) for rank in ranks(NODES, "head", 1, 3)] == [
        ("head", 0),
        ("b", None),
        ("a", None),
        ("c", None),
    ]


@pytest.mark.parametrize(
    ("nodes", "driver", "words"),
    [(NODES, "x", "The driver x is none"), ({"a": "1", "b": "1"}, "a", "the same address")],
)
def test_nodes_that_vllm_would_refuse(nodes, driver, words):
    with pytest.raises(PlanError, match=words):
        order(nodes, driver)


@pytest.mark.parametrize(
    ("first", "end", "needed"), [(0, 1, "168"), (1, 10, "2368"), (10, 11, "4568"), (0, 11, "1234568")]
)
def test_a_stage_needs_its_layers_and_the_head(first, end, needed):
    assert shards(WEIGHTS, first, end, 11) == list(needed)
