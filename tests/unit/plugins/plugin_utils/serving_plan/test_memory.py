# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory of DeepSeek R1 in vLLM 0.7.2, against figures that were worked out apart from this code."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan import memory, model, partition, weights
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan.plan import MIB

GB = 1e9
ALLOWED = 3 * GB
# tensor, partition or stages of the engine's own cut, utilisation, GB of weights on the fullest GPU, KV tokens in all, and for one request
TABLE = [
    (4, 4, 0.90, 48.9, 1.88e6, 470e3),
    (8, 2, 0.90, 47.1, 1.01e6, 507e3),
    (16, 1, 0.90, 44.3, 0.55e6, 551e3),
    (2, 8, 0.90, 73.6, 0.90e6, 112e3),
    (2, "8,8,8,8,8,7,7,7", 0.90, 48.4, 3.8e6, 475e3),
    (4, 3, 0.90, 64.0, 0.87e6, 289e3),
    (2, 6, 0.90, 67.5, 1.4e6, 235e3),
    (8, 1, 0.95, 88.7, 49e3, 49e3),
    (4, "32,29", 0.95, 89.1, 83e3, 41e3),
]


def measured(config, tensor, cut, utilisation, context=2048):
    sizes = model.read(config)
    layers = sizes.num_hidden_layers
    cut = partition.engine_cut(layers, cut) if isinstance(cut, int) else partition.given(cut, layers, cut.count(",") + 1)
    return memory.measure(sizes, memory.Setup(97871 * MIB, utilisation, context), tensor, cut)


@pytest.mark.parametrize(("tensor", "cut", "utilisation", "heaviest", "tokens", "one"), TABLE)
def test_the_table_is_met_within_three_gigabytes(r1, tensor, cut, utilisation, heaviest, tokens, one):
    shape = measured(r1, tensor, cut, utilisation)
    assert abs(max(stage.weights for stage in shape.stages) - heaviest * GB) < ALLOWED
    longest = max(shape.partition)
    assert abs(shape.kv_tokens - tokens) * longest * memory.kv_bytes(model.read(r1)) < ALLOWED
    assert abs(shape.kv_tokens_per_request - one) * shape.pipeline * longest * memory.kv_bytes(model.read(r1)) < ALLOWED
    assert shape.fits


@pytest.mark.parametrize(("tensor", "cut", "utilisation"), [(8, 1, 0.90), (4, 2, 0.95), (4, "32,29", 0.90), (4, 1, 0.95), (2, 2, 0.95), (2, 1, 0.95), (1, 1, 0.95)])
def test_what_does_not_fit_is_known(r1, tensor, cut, utilisation):
    shape = measured(r1, tensor, cut, utilisation)
    assert not shape.fits and shape.lacks > 0


def test_totals_are_those_that_are_known(r1):
    sizes = model.read(r1)
    dense, routed = weights.layer(sizes, 0).total, weights.layer(sizes, 60).total
    assert dense == pytest.approx(0.58 * GB, rel=0.01) and routed == pytest.approx(11.51 * GB, rel=0.001)
    assert weights.vocabulary(sizes).total == pytest.approx(1.85 * GB, rel=0.002)
    assert weights.absorbed(sizes).total == pytest.approx(0.57 * GB, rel=0.002)
    assert weights.loaded(sizes) == pytest.approx(673 * GB, rel=0.001)


def test_parameters_are_counted_like_the_matrices_of_a_small_model(tiny):
    """Shapes of all matrices of a layer with experts, written out by hand."""
    attention = 256 * 64 + 64 * 8 * 48 + 256 * 80 + 64 * 8 * 64 + 8 * 32 * 256
    expert = 3 * 256 * 128
    assert weights.layer(model.read(tiny), 4).total == 2 * (attention + 17 * expert + 256 * 16)
    assert weights.layer(model.read(tiny), 0).total == 2 * (attention + 3 * 256 * 512)


def test_the_cache_of_a_token_is_padded_and_not_cut(r1, tiny):
    assert memory.kv_bytes(model.read(r1)) == 1280
    assert memory.kv_bytes(model.read(tiny)) == 256


def test_every_rank_has_the_head_and_the_first_stage_the_embedding(r1):
    sizes = model.read(r1)
    one = weights.vocabulary(sizes).total
    layers = [weights.layer(sizes, 30) + weights.absorbed(sizes), weights.layer(sizes, 0) + weights.absorbed(sizes)]
    assert weights.stage(sizes, 30, 31).total - layers[0].total == pytest.approx(one)
    assert weights.stage(sizes, 0, 1).total - layers[1].total == pytest.approx(2 * one)


def test_a_longer_context_takes_memory_for_its_prefill_too(r1):
    short, longer, longest = (measured(r1, 4, 4, 0.90, context) for context in (8000, 16384, 32768))
    assert short.stages[0].kv - longer.stages[0].kv > 0.5 * GB
    assert longer.stages[0].kv - longest.stages[0].kv > 1 * GB


def test_a_request_has_only_the_blocks_of_its_scheduler(r1):
    shape = measured(r1, 4, 4, 0.90)
    assert shape.kv_tokens_per_request == shape.kv_tokens // 16 // 4 * 16
    tokens = shape.kv_tokens_per_request
    assert measured(r1, 4, 4, 0.90, tokens).lacks > 0  # for its prefill is not counted there
    assert min(stage.tokens for stage in shape.stages) - shape.kv_tokens < 16


def test_the_stage_that_lacks_is_the_heaviest(r1):
    shape = measured(r1, 4, 2, 0.95)
    assert [stage.lacks > 0 for stage in shape.stages] == [False, True]
