# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""GPU memory: what weights, activations and the KV cache take on each stage of a shape."""

from __future__ import annotations

import dataclasses

from . import weights
from .model import Model
from .partition import bounds

GIB = 1024**3
BLOCK_TOKENS = 16  # the engine hands out the KV cache in blocks of so many tokens
ALIGNMENT = 256  # bytes to which it pads a token's entry in a layer
ESTIMATED_TOKENS = 8192  # the allowance for activations is for a prefill of so many tokens
MOE_CHUNK = 32768  # tokens that the experts take at once
ERROR = 3e9  # bytes by which this model of the memory may be wrong


@dataclasses.dataclass(frozen=True)
class Setup:
    """The GPU, and what is asked of it. `activation` is bytes for all that is neither weights nor KV cache."""

    memory: float  # bytes of a GPU
    utilization: float = 0.9
    context: int = 8000  # tokens of prompt and answer
    sequences: int = 64  # at once, per pipeline stage
    activation: float = 5e9

    @property
    def budget(self) -> float:
        """Bytes that the engine may use."""
        return self.memory * self.utilization


@dataclasses.dataclass(frozen=True)
class Stage:
    """Bytes on each GPU of one pipeline stage."""

    first: int
    end: int
    weights: float
    kv: float  # what is left for the KV cache; below 0 where not even the weights fit
    tokens: int  # that fit in there
    lacks: float  # bytes that are missing for requests of the wanted length; below 0 is what is to spare


@dataclasses.dataclass(frozen=True)
class Shape:
    """One way to cut the model, with what it leaves for requests."""

    tensor: int
    pipeline: int
    partition: tuple[int, ...]
    stages: tuple[Stage, ...]
    kv_tokens: int  # in all
    kv_tokens_per_request: (
        int  # each of `pipeline` schedulers has its share of the blocks, and a request cannot leave it
    )

    @property
    def gpus(self) -> int:
        return self.tensor * self.pipeline

    @property
    def lacks(self) -> float:
        """Bytes that the worst stage lacks; below 0 is what it has to spare."""
        return max(stage.lacks for stage in self.stages)

    @property
    def fits(self) -> bool:
        return self.lacks <= 0

    @property
    def tight(self) -> bool:
        """Fits by less than what this estimate may be wrong by."""
        return self.fits and self.lacks > -ERROR

    @property
    def name(self) -> str:
        return f"TP{self.tensor} x PP{self.pipeline}"


def kv_bytes(model: Model) -> int:
    """Bytes of one token in one layer: compressed keys and values together, padded; each rank holds all of it."""
    return -(-(model.kv_lora_rank + model.qk_rope_head_dim) * model.plain // ALIGNMENT) * ALIGNMENT


def activation_bytes(model: Model, setup: Setup, tensor: int) -> float:
    """An estimate: the allowance, and what longer prefills add, as 0.7.2 takes whole prompts with latent attention."""
    longer = max(0, setup.context - ESTIMATED_TOKENS)
    hidden = 4 * model.hidden_size * longer
    routed = (
        model.num_experts_per_tok
        * (model.hidden_size + 3 * model.moe_intermediate_size / tensor)
        * min(longer, MOE_CHUNK)
    )
    return setup.activation + model.plain * (hidden + routed)


def measure(model: Model, setup: Setup, tensor: int, partition: list[int]) -> Shape:
    """The stages of a shape. The number of KV blocks is that of the stage with the fewest, as in the engine."""
    pipeline, each = len(partition), kv_bytes(model)
    activation = activation_bytes(model, setup, tensor)
    wanted = -(-setup.context // BLOCK_TOKENS) * BLOCK_TOKENS * pipeline
    stages = []
    for first, end in bounds(partition):
        held = weights.stage(model, first, end).of_rank(tensor)
        left = setup.budget - activation - held
        token = each * (end - first)
        stages.append(Stage(first, end, held, left, max(0, int(left // token)), wanted * token - left))
    blocks = min(stage.tokens for stage in stages) // BLOCK_TOKENS
    return Shape(
        tensor, pipeline, tuple(partition), tuple(stages), blocks * BLOCK_TOKENS, blocks // pipeline * BLOCK_TOKENS
    )
