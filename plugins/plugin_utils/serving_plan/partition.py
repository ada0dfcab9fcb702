# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many layers each pipeline stage gets."""

from __future__ import annotations

from .errors import PlanError


def cut(layers: int, stages: int, dense: int = 0) -> list[int]:
    """Layers per stage: first the fewest expert layers on the heaviest stage, then the fewest layers on the longest.

    A dense layer of DeepSeek V3 weighs 0.58 GB and one with experts 11.5 GB; the KV cache of both is the same size.
    """
    if not 1 <= stages <= layers:
        raise PlanError(
            f"A model of {layers} layers cannot be cut into {stages} pipeline stages; use 1 to {layers} stages."
        )
    if not 0 <= dense <= layers:
        raise PlanError(f"There cannot be {dense} dense layers in a model of {layers} layers.")
    if dense == layers:
        dense = 0  # all are alike
    heaviest = -(-(layers - dense) // stages)  # layers with experts that some stage must bear in any case
    first = max(layers - (stages - 1) * heaviest, -(-layers // stages))
    if stages == 1:
        return [layers]
    each, left = divmod(layers - first, stages - 1)
    return [first] + [each + 1] * left + [each] * (stages - 1 - left)


def engine_cut(layers: int, stages: int) -> list[int]:
    """What vLLM 0.7.2 does without being told: equal stages, and the whole remainder on the last."""
    each = layers // stages
    return [each] * (stages - 1) + [layers - each * (stages - 1)]


def given(text: str, layers: int, stages: int) -> list[int]:
    """A partition that somebody wrote, "16,15,15,15". Raises PlanError where the engine would not serve with it."""
    try:
        partition = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise PlanError(
            f"The layer partition {text} is not a list of whole numbers with commas between them."
        ) from error
    if len(partition) != stages or sum(partition) != layers or min(partition) < 1:
        raise PlanError(
            f"The layer partition {text} must be {stages} numbers above 0, one for each pipeline stage, "
            f"with the sum {layers}."
        )
    return partition


def bounds(partition: list[int]) -> list[tuple[int, int]]:
    """First layer of each stage, and the one after its last."""
    ends = [sum(partition[: number + 1]) for number in range(len(partition))]
    return list(zip([0, *ends[:-1]], ends, strict=True))
