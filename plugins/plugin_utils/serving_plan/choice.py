# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which shape is best, and what would fit where none does."""

from __future__ import annotations

import dataclasses
import math

from . import shapes
from .memory import Setup, Shape, measure
from .model import Model
from .partition import cut

ETHERNET_WIDTH = 4  # tensor-parallel ranks that are measured over Ethernet
KEPT = 0.75  # a better shape may leave a quarter of the GPUs idle
HIGH_UTILIZATION = 0.95
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
    """How much deeper than wide, in doublings: up to twice is as good as it gets, for a request passes all stages in turn."""
    return max(1, math.ceil(math.log2(shape.pipeline / shape.tensor)))


def choose(found: list[Shape]) -> Shape | None:
    """The best that fits: narrow enough for Ethernet, not tight, not deep, using the most GPUs, nearest to square, the wider of two equals."""
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
    return min(kept, key=lambda shape: (depth(shape), -shape.gpus, abs(math.log(shape.pipeline / shape.tensor)), -shape.tensor))


def nearest(found: list[Shape]) -> Shape:
    """Of shapes that do not fit, the one that lacks least; of equals the one with fewer stages."""
    return min(found, key=lambda shape: (shape.lacks, shape.pipeline))


def at_high_utilization(model: Model, setup: Setup, gpus: int) -> Shape | None:
    """What would fit on the same GPUs if the engine were given more of each, whatever the length of requests."""
    if setup.utilization >= HIGH_UTILIZATION:
        return None
    short = dataclasses.replace(setup, utilization=HIGH_UTILIZATION, context=min(setup.context, 2048))
    return choose(all_shapes(model, short, gpus))


def fewest(model: Model, setup: Setup, above: int) -> list[Shape]:
    """Shapes on more than `above` GPUs that fit well and are narrow enough for Ethernet: the one on the fewest, and the first that is not deep."""
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
