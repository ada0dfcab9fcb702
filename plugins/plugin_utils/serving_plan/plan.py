# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan as one dictionary: what a playbook reads, in GiB, tokens and dollars."""

from __future__ import annotations

import dataclasses
import typing as t

from . import choice, memory, model, partition, ranks, shapes, weights, words
from .errors import PlanError
from .memory import GIB, Setup, Shape

MIB = 1024**2


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What somebody has decided already; 0 and empty leave it to the plan."""

    tensor: int = 0
    pipeline: int = 0
    partition: str = ""


@dataclasses.dataclass(frozen=True)
class Hardware:
    """Where it runs. `nodes` is name to address, and `driver` the name of the one with the API server."""

    gpus: int
    price: float = 0  # dollars per GPU and hour, 0 where it is not known
    nodes: dict[str, str] = dataclasses.field(default_factory=dict)
    driver: str = ""
    weight_map: dict[str, str] = dataclasses.field(default_factory=dict)


def setup(memory_mib: float, utilization: float, context: int, sequences: int, activation_gib: float) -> Setup:
    """The GPU and what is asked of it, from the units that people use. Raises PlanError."""
    if not 0 < utilization <= 1:
        raise PlanError(f"The GPU memory utilisation is {utilization:g}, and must be above 0 and at most 1.")
    for name, value in (
        ("GPU memory", memory_mib),
        ("longest context", context),
        ("number of sequences at once", sequences),
    ):
        if value <= 0:
            raise PlanError(f"The {name} is {value:g}, and must be above 0.")
    return Setup(memory_mib * MIB, utilization, context, sequences, activation_gib * GIB)


def make(
    config: dict[str, t.Any], hardware: Hardware, asked: Setup, wanted: Wanted = Wanted(), dtype: str = "auto"
) -> dict[str, t.Any]:
    """The plan. Where the GPUs cannot hold the model `fits` is false, and `verdict` says why and what would.

    Raises PlanError for what is not known.
    """
    sizes = model.read(config, dtype)
    found, refusal = _found(sizes, asked, hardware.gpus, wanted)
    best = choice.choose(found)
    shape = best or (choice.nearest(found) if found else None)
    advice = words.Advice(sizes, asked, hardware.gpus, hardware.price, found, best, wanted != Wanted())
    result = _summary(sizes, hardware, shape) if shape else dict(EMPTY)
    return result | {
        "fits": best is not None,
        "verdict": refusal or advice.verdict(),
        "advice": [refusal] if refusal else advice.lines(),
        "architecture": sizes.architecture,
        "gpus": hardware.gpus,
        "layers": sizes.num_hidden_layers,
        "weights_gib": _gib(weights.loaded(sizes)),
        "shapes": [_row(one, asked) for one in found],
    }


EMPTY: dict[str, t.Any] = {
    "tensor_parallel": 0,
    "pipeline_parallel": 0,
    "layer_partition": "",
    "gpus_used": 0,
    "gpus_idle": 0,
    "kv_tokens": 0,
    "kv_tokens_per_request": 0,
    "stages": [],
    "ranks": [],
    "dollars_per_hour": None,
    "idle_dollars_per_hour": None,
}


def _found(sizes: model.Model, asked: Setup, gpus: int, wanted: Wanted) -> tuple[list[Shape], str]:
    """The shapes that may be chosen, or why there is none."""
    if gpus < 1:
        return [], f"The number of GPUs is {gpus}: 1 is the least."
    pipeline = wanted.pipeline or (len(wanted.partition.split(",")) if wanted.partition else 0)
    if wanted.tensor and (problem := shapes.width_problem(sizes, wanted.tensor)):
        return (
            [],
            f"TP{wanted.tensor} is not legal for this model: {problem}; legal are {_names(shapes.widths(sizes, 64))}.",
        )
    if pipeline > sizes.num_hidden_layers:
        return (
            [],
            f"PP{pipeline} is not legal for this model: it has {sizes.num_hidden_layers} layers, one for each stage.",
        )
    least = max(wanted.tensor, 1) * max(pipeline, 1)
    if least > gpus:
        return [], f"TP{max(wanted.tensor, 1)} x PP{max(pipeline, 1)} needs {least} GPUs, and there are {gpus}."
    found = choice.all_shapes(sizes, asked, gpus)
    found = [one for one in found if wanted.tensor in (0, one.tensor) and pipeline in (0, one.pipeline)]
    if wanted.partition:
        try:
            cut = partition.given(wanted.partition, sizes.num_hidden_layers, pipeline)
        except PlanError as error:
            return [], str(error)
        found = [memory.measure(sizes, asked, one.tensor, cut) for one in found]
    return found, ""


def _summary(sizes: model.Model, hardware: Hardware, shape: Shape) -> dict[str, t.Any]:
    placed = _ranks(hardware, shape)
    stages: list[dict[str, t.Any]] = []
    for number, stage in enumerate(shape.stages):
        stages.append(
            {
                "stage": number,
                "first_layer": stage.first,
                "last_layer": stage.end - 1,
                "layers": stage.end - stage.first,
                "weights_gib": _gib(stage.weights),
                "kv_gib": _gib(max(0, stage.kv)),
                "kv_tokens": stage.tokens,
                "lacks_gib": _gib(max(0, stage.lacks)),
                "ranks": list(range(number * shape.tensor, (number + 1) * shape.tensor)),
                "nodes": [rank.node for rank in placed if rank.stage == number],
                "shards": ranks.shards(hardware.weight_map, stage.first, stage.end, sizes.num_hidden_layers),
            }
        )
    every = sorted({file for stage in stages for file in stage["shards"]})
    rows = [
        dataclasses.asdict(rank) | {"shards": every if rank.stage is None else stages[rank.stage]["shards"]}
        for rank in placed
    ]
    idle = hardware.gpus - shape.gpus
    return {
        "tensor_parallel": shape.tensor,
        "pipeline_parallel": shape.pipeline,
        "layer_partition": ",".join(map(str, shape.partition)),
        "gpus_used": shape.gpus,
        "gpus_idle": idle,
        "kv_tokens": shape.kv_tokens,
        "kv_tokens_per_request": shape.kv_tokens_per_request,
        "stages": stages,
        "ranks": rows,
        "dollars_per_hour": round(hardware.price * hardware.gpus, 2) if hardware.price else None,
        "idle_dollars_per_hour": round(hardware.price * idle, 2) if hardware.price else None,
    }


def _ranks(hardware: Hardware, shape: Shape) -> list[ranks.Rank]:
    if not hardware.nodes:
        return []
    # With fewer, as while only the head runs, it alone has its rank.
    if len(hardware.nodes) > hardware.gpus:
        raise PlanError(
            f"There are {len(hardware.nodes)} nodes, and the plan is for {hardware.gpus} GPUs: "
            "one GPU per node is all that is known here."
        )
    return ranks.ranks(hardware.nodes, hardware.driver or next(iter(hardware.nodes)), shape.tensor, shape.pipeline)


def _row(shape: Shape, asked: Setup) -> dict[str, t.Any]:
    return {
        "tensor_parallel": shape.tensor,
        "pipeline_parallel": shape.pipeline,
        "layer_partition": ",".join(map(str, shape.partition)),
        "gpus": shape.gpus,
        "fits": shape.fits,
        "weights_gib": [_gib(stage.weights) for stage in shape.stages],
        "kv_gib": [_gib(max(0, stage.kv)) for stage in shape.stages],
        "kv_tokens": shape.kv_tokens,
        "kv_tokens_per_request": shape.kv_tokens_per_request,
        "why_not": words.memory_problem(shape, asked),
    }


def _gib(count: float) -> float:
    return round(count / GIB, 2)


def _names(widths: list[int]) -> str:
    return ", ".join(map(str, widths))
