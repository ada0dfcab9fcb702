# SPDX-License-Identifier: GPL-3.0-or-later
"""Cutting a model into pipeline stages: the sum, the heaviest stage, and what vLLM would do by itself."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan.errors import PlanError
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan.partition import bounds, cut, engine_cut, given

MODELS = [(layers, dense) for layers in (1, 2, 3, 27, 61, 64) for dense in (0, 1, 3) if dense <= layers]
SHAPES = [(layers, dense, stages) for layers, dense in MODELS for stages in (1, 2, 3, 4, 6, 8, 16) if stages <= layers]


def experts(partition, dense):
    """Layers with experts on each stage."""
    counts, seen = [], 0
    for count in partition:
        counts.append(max(0, seen + count - max(seen, dense)))
        seen += count
    return counts


@pytest.mark.parametrize(("stages", "partition"), [
    (1, [61]), (2, [32, 29]), (3, [21, 20, 20]), (4, [16, 15, 15, 15]), (6, [11, 10, 10, 10, 10, 10]), (8, [8, 8, 8, 8, 8, 7, 7, 7]), (16, [4] * 13 + [3] * 3),
])
def test_deepseek_is_cut_as_it_fits_into_memory(stages, partition):
    assert cut(61, stages, dense=3) == partition


@pytest.mark.parametrize(("layers", "dense", "stages"), SHAPES)
def test_no_layer_is_lost_and_no_stage_is_empty(layers, dense, stages):
    partition = cut(layers, stages, dense)
    assert sum(partition) == layers and len(partition) == stages and min(partition) >= 1


@pytest.mark.parametrize(("layers", "dense", "stages"), SHAPES)
def test_no_stage_has_more_experts_than_it_must(layers, dense, stages):
    fewest = -(-(layers - dense) // stages)
    ours = max(experts(cut(layers, stages, dense), dense))
    assert ours == fewest
    assert ours <= max(experts(engine_cut(layers, stages), dense))


@pytest.mark.parametrize("stages", [8, 16])
def test_the_last_stage_is_not_the_longest_as_in_vllm(stages):
    assert max(cut(61, stages, dense=3)) < max(engine_cut(61, stages)) == engine_cut(61, stages)[-1]


@pytest.mark.parametrize("stages", range(1, 17))
def test_without_dense_layers_stages_differ_by_one_at_most(stages):
    partition = cut(61, stages)
    assert max(partition) - min(partition) <= 1 and partition == sorted(partition, reverse=True)


@pytest.mark.parametrize(("arguments", "words"), [
    ((61, 0), "61 layers cannot be cut into 0"), ((3, 4), "use 1 to 3 stages"), ((61, 4, 62), "62 dense layers"), ((61, 4, -1), "-1 dense"),
])
def test_what_cannot_be_cut_is_told_in_a_sentence(arguments, words):
    with pytest.raises(PlanError, match=words):
        cut(*arguments)


def test_five_layers_are_cut_unevenly():
    assert [cut(5, stages, 1) for stages in (1, 2, 4)] == [[5], [3, 2], [2, 1, 1, 1]]


def test_bounds_follow_one_another():
    assert bounds([3, 2]) == [(0, 3), (3, 5)]


def test_a_written_partition_is_taken_as_it_is():
    assert given("15,15,15,16", 61, 4) == [15, 15, 15, 16]


@pytest.mark.parametrize("text", ["15,15,15,15", "30,31", "61,0,0,0", "", "a,b,c,d", "16,15,15,15,"])
def test_a_written_partition_that_the_engine_would_refuse_is_refused(text):
    with pytest.raises(PlanError, match="The layer partition"):
        given(text, 61, 4)
