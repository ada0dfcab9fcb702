# SPDX-License-Identifier: GPL-3.0-or-later
"""Which shape is chosen, and what would fit where none does."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan import choice, memory, model, shapes
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan.plan import MIB


def asked(utilisation=0.9, context=8000):
    return memory.Setup(97871 * MIB, utilisation, context)


def chosen(config, gpus, setup=None):
    sizes = model.read(config)
    shape = choice.choose(choice.all_shapes(sizes, setup or asked(), gpus))
    return shape and (shape.tensor, shape.pipeline)


@pytest.mark.parametrize("gpus", [1, 2, 4])
@pytest.mark.parametrize("utilisation", [0.9, 0.95, 1.0])
def test_few_gpus_never_hold_r1(r1, gpus, utilisation):
    assert chosen(r1, gpus, asked(utilisation, 1)) is None


def test_eight_hold_it_only_with_much_of_their_memory_and_short_requests(r1):
    assert chosen(r1, 8) is None
    assert chosen(r1, 8, asked(0.95)) == (4, 2)
    assert chosen(r1, 8, asked(0.95, 65536)) is None


@pytest.mark.parametrize(
    ("gpus", "shape"),
    [(12, (4, 3)), (13, (4, 3)), (14, (4, 3)), (15, (4, 3)), (16, (4, 4)), (20, (4, 5)), (24, (4, 6)), (32, (4, 8))],
)
def test_r1_is_cut_near_to_square_and_four_wide(r1, gpus, shape):
    assert chosen(r1, gpus) == shape


@pytest.mark.parametrize(("gpus", "shape"), [(1, (1, 1)), (2, (2, 1)), (4, (2, 2)), (8, (4, 2)), (16, (4, 4))])
def test_a_small_model_takes_all_gpus(tiny, gpus, shape):
    assert chosen(tiny, gpus) == shape


def test_what_is_tight_is_taken_only_if_nothing_else_fits(r1):
    sizes = model.read(r1)
    nine = choice.choose(choice.all_shapes(sizes, asked(), 9))
    assert nine.tight and nine.gpus == 9
    assert not choice.choose(choice.all_shapes(sizes, asked(), 10)).tight


def test_wider_than_four_is_taken_only_if_nothing_else_fits(r1):
    sizes = model.read(r1)
    wide = [shape for shape in choice.all_shapes(sizes, asked(), 16) if shape.tensor > 4]
    assert choice.choose(wide).tensor == 8
    assert choice.choose(choice.all_shapes(sizes, asked(), 16)).tensor == 4


def test_the_fewest_that_fit_well(r1):
    ways = choice.fewest(model.read(r1), asked(), 4)
    assert [(shape.tensor, shape.pipeline) for shape in ways] == [(2, 5), (4, 3)]
    assert [(shape.tensor, shape.pipeline) for shape in choice.fewest(model.read(r1), asked(), 11)] == [(4, 3)]


def test_the_longest_context_is_no_longer_than_the_model(r1):
    sizes = model.read(r1)
    shape = choice.choose(choice.all_shapes(sizes, asked(), 16))
    assert choice.longest_context(sizes, asked(), shape) == 163840


def test_the_longest_context_is_the_last_that_fits(r1):
    sizes = model.read(r1 | {"max_position_embeddings": None})
    shape = choice.choose(choice.all_shapes(sizes, asked(), 16))
    longest = choice.longest_context(sizes, asked(), shape)
    fits = [
        memory.measure(sizes, asked(context=context), 4, list(shape.partition)).fits
        for context in (longest, longest + 16)
    ]
    assert fits == [True, False] and 8000 < longest < shape.kv_tokens_per_request
    assert choice.longest_context(sizes, asked(), choice.nearest(choice.all_shapes(sizes, asked(), 4))) == 0


def test_more_of_each_gpu_is_offered_only_where_it_helps(r1):
    sizes = model.read(r1)
    assert choice.at_high_utilization(sizes, asked(), 8).kv_tokens_per_request > 8000
    assert choice.at_high_utilization(sizes, asked(), 4) is None
    assert choice.at_high_utilization(sizes, asked(0.95), 8) is None


@pytest.mark.parametrize(("gpus", "legal"), [(1, [1]), (16, [1, 2, 4, 8, 16]), (128, [1, 2, 4, 8, 16])])
def test_r1_is_cut_in_powers_of_two_up_to_sixteen(r1, gpus, legal):
    assert shapes.widths(model.read(r1), gpus) == legal


def test_a_small_model_is_cut_by_its_heads(tiny):
    assert shapes.widths(model.read(tiny), 16) == [1, 2, 4, 8]


@pytest.mark.parametrize(
    ("tensor", "words"),
    [(3, "128 heads cannot be shared by 3"), (32, "2048 / 32 = 64 is no multiple of the quantised blocks of 128")],
)
def test_why_a_width_is_not_legal(r1, tensor, words):
    assert words in shapes.width_problem(model.read(r1), tensor)


def test_without_blocks_thirty_two_ranks_are_legal(r1):
    assert not shapes.width_problem(model.read(r1 | {"quantization_config": None}), 32)


def test_a_dense_size_that_cannot_be_cut_is_no_obstacle_where_no_layer_is_dense(tiny):
    odd = tiny | {"intermediate_size": 509}
    assert "dense size 509" in shapes.width_problem(model.read(odd), 2)
    assert not shapes.width_problem(model.read(odd | {"first_k_dense_replace": 0}), 2)


def test_every_shape_is_legal_once_and_within_the_gpus(r1):
    found = shapes.shapes(model.read(r1), 24)
    assert len(set(found)) == len(found) == 24 + 12 + 6 + 3 + 1
    assert all(tensor * pipeline <= 24 for tensor, pipeline in found)


def test_no_more_stages_than_layers(tiny):
    assert max(pipeline for dummy, pipeline in shapes.shapes(model.read(tiny), 16)) == 5
