# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading config.json: what is known, and what is said of the rest."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan import model, weights
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan.errors import PlanError


def test_blocks_of_fp8_are_a_byte_and_their_scales(r1):
    sizes = model.read(r1)
    assert sizes.block == 128 and sizes.linear == 1 + 4 / 128**2 and sizes.plain == 2
    assert sizes.experts == (False,) * 3 + (True,) * 58


def test_without_quantisation_all_numbers_have_the_format_of_the_model(tiny):
    sizes = model.read(tiny)
    assert sizes.block == 1 and sizes.linear == sizes.plain == 2


@pytest.mark.parametrize(
    ("stored", "told", "size"),
    [("bfloat16", "auto", 2), ("float32", "auto", 2), ("bfloat16", "float32", 4), ("float16", "auto", 2)],
)
def test_the_format_is_the_one_that_the_engine_takes(tiny, stored, told, size):
    assert model.read(tiny | {"torch_dtype": stored}, told).plain == size


def test_a_model_without_compressed_queries_is_read(tiny):
    """As DeepSeek V2 Lite: one matrix instead of two."""
    plain = model.read(tiny | {"architectures": ["DeepseekV2ForCausalLM"], "q_lora_rank": None})
    attention = 256 * 8 * 48 + 256 * 80 + 64 * 8 * 64 + 8 * 32 * 256
    assert weights.attention(plain).total == 2 * attention


def test_experts_may_be_in_every_second_layer(tiny):
    assert model.read(tiny | {"moe_layer_freq": 2}).experts == (False, False, True, False, True)
    assert model.read(tiny | {"n_routed_experts": None}).experts == (False,) * 5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"architectures": ["LlamaForCausalLM"]}, "The architecture LlamaForCausalLM is not known here"),
        ({"architectures": []}, "The architecture none is not known"),
        ({"hidden_size": None}, "config.json has hidden_size: None"),
        ({"num_hidden_layers": 0}, "num_hidden_layers: 0"),
        ({"vocab_size": "many"}, "vocab_size: 'many'"),
        ({"moe_intermediate_size": None}, "moe_intermediate_size: None"),
        ({"first_k_dense_replace": 6}, "6 dense layers in a model of 5"),
        ({"torch_dtype": "int3"}, "The number format int3 is not known"),
        ({"quantization_config": {"quant_method": "awq"}}, "The quantisation awq"),
        ({"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 64]}}, "square blocks"),
    ],
)
def test_what_is_not_known_is_said(tiny, change, words):
    with pytest.raises(PlanError, match=words):
        model.read(tiny | change)


@pytest.mark.parametrize("config", [{}, None, [], "text"])
def test_nothing_is_no_config(config):
    with pytest.raises(PlanError, match=r"There is no config.json"):
        model.read(config)
