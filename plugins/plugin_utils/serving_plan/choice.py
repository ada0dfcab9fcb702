# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which shape is best, and what would fit where none does."""

from __future__ import annotations

import dataclasses
import math

from . import shapes
from .memory import BLOCK_TOKENS, Setup, Shape, measure
from .model import Model
from .partition import cut

ETHERNET_WIDTH = 4  # tensor-parallel ranks that are measured over Ethernet
KEPT = 0.75  # a better shape may leave a quarter of the GPUs idle
HIGH_UTILIZATION = 0.95
SHORT_CONTEXT = 2048  # tokens below which nobody wants to go
MOST_GPUS = 256


def all_shapes(model: Model, setup: Setup, gpus: int) -> list[Shape]:
    """Every legal shape on at most so many GPUs, measured."""
    return [measure(model, setup, *_cut(model, tensor, pipeline)) for tensor, pipeline in shapes.shapes(model, gpus)]


def _cut(model: Model, tensor: int, pipeline: int) -> tuple[int, list[int]]:
    return tensor, cut(model.num_hidden_layers, pipeline, dense_at_start(model))


def dense_at_start(model: Model) -> int:
    """Layers without experts at the beginning."""
    return model.experts.index(True) if True in model.experts else model.num_hidden_layers


def depth(shape: Shape) -> int:
    """How much deeper than wide, in doublings, for a token passes all stages in turn. Up to twice is as good as any."""
    return max(1, math.ceil(math.log2(shape.pipeline / shape.tensor)))


def choose(found: list[Shape]) -> Shape | None:
    """The best that fits: not tight, narrow enough for Ethernet, not deep, using the most GPUs, nearest to square.

    Of two that are equal in all this, the wider one.
    """
    fitting = [shape for shape in found if shape.fits]
    for tight in (False, True):
        for wide in (False, True):
            group = [shape for shape in fitting if shape.tight == tight and (shape.tensor > ETHERNET_WIDTH) == wide]
            if group:
                return _best(group)
    return None


def _best(group: list[Shape]) -> Shape:
    most = max(shape.gpus for shape in group)
    kept = [shape for shape in group if shape.gpus >= KEPT * most]
    return min(
        kept, key=lambda shape: (depth(shape), -shape.gpus, abs(math.log(shape.pipeline / shape.tensor)), -shape.tensor)
    )


def nearest(found: list[Shape]) -> Shape:
    """Of shapes that do not fit, the one that lacks least; of equals the one with fewer stages."""
    return min(found, key=lambda shape: (shape.lacks, shape.pipeline))


def at_high_utilization(model: Model, setup: Setup, gpus: int) -> Shape | None:
    """What would fit on the same GPUs if the engine were given more of each, if only for short requests."""
    if setup.utilization >= HIGH_UTILIZATION:
        return None
    return choose(
        all_shapes(
            model,
            dataclasses.replace(setup, utilization=HIGH_UTILIZATION, context=min(setup.context, SHORT_CONTEXT)),
            gpus,
        )
    )


def longest_context(model: Model, setup: Setup, shape: Shape) -> int:
    """Tokens of the longest request that shape and model bear, with what its prefill takes; 0 where there is none."""
    least, most = 0, shape_blocks(model, setup, shape)
    while least < most:
        middle = (least + most + 1) // 2
        longer = dataclasses.replace(setup, context=middle * BLOCK_TOKENS)
        least, most = (
            (middle, most) if measure(model, longer, shape.tensor, list(shape.partition)).fits else (least, middle - 1)
        )
    return min(least * BLOCK_TOKENS, model.positions or least * BLOCK_TOKENS)


def shape_blocks(model: Model, setup: Setup, shape: Shape) -> int:
    """KV blocks that a request could have if its prefill took nothing."""
    shortest = dataclasses.replace(setup, context=BLOCK_TOKENS)
    return measure(model, shortest, shape.tensor, list(shape.partition)).kv_tokens_per_request // BLOCK_TOKENS


def fewest(model: Model, setup: Setup, above: int) -> list[Shape]:
    """Shapes on more than `above` GPUs that fit well and are narrow enough for Ethernet.

    The one on the fewest GPUs, and the first that is not deep.
    """
    ways: list[Shape] = []
    for gpus in range(above + 1, MOST_GPUS + 1):
        for tensor in reversed(shapes.widths(model, min(ETHERNET_WIDTH, gpus))):
            pipeline = gpus // tensor
            if gpus % tensor or pipeline > model.num_hidden_layers:
                continue
            shape = measure(model, setup, *_cut(model, tensor, pipeline))
            if shape.fits and not shape.tight and (not ways or depth(shape) == 1):
                ways.append(shape)
                if depth(shape) == 1:
                    return ways
    return ways
