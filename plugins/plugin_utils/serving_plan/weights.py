# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bytes of weights: of a layer, of what is outside of the layers, and of what a rank must hold."""

from __future__ import annotations

import dataclasses
import functools

from .model import Model

VOCABULARY_PAD = 64


@dataclasses.dataclass(frozen=True)
class Weights:
    """Bytes that the ranks of a stage share among them, and bytes that each of them holds whole."""

    shared: float = 0
    whole: float = 0

    def __add__(self, other: Weights) -> Weights:
        return Weights(self.shared + other.shared, self.whole + other.whole)

    def of_rank(self, tensor: int) -> float:
        """What one of so many tensor-parallel ranks holds."""
        return self.shared / tensor + self.whole

    @property
    def total(self) -> float:
        """What is loaded, once."""
        return self.shared + self.whole


def attention(model: Model) -> Weights:
    """Multi-head latent attention. The compressing projections are not cut."""
    heads, hidden = model.num_attention_heads, model.hidden_size
    query = heads * (model.qk_nope_head_dim + model.qk_rope_head_dim)
    shared = (model.q_lora_rank or hidden) * query + model.kv_lora_rank * heads * (model.qk_nope_head_dim + model.v_head_dim)
    shared += heads * model.v_head_dim * hidden
    whole = hidden * (model.q_lora_rank + model.kv_lora_rank + model.qk_rope_head_dim)
    return Weights(shared * model.linear, whole * model.linear)


def absorbed(model: Model) -> Weights:
    """The products of projections that vLLM 0.7.2 makes after loading and keeps beside them, for decoding."""
    numbers = model.num_attention_heads * model.kv_lora_rank * ((model.q_lora_rank or model.hidden_size) + model.hidden_size)
    return Weights(numbers * model.linear)


@functools.lru_cache(maxsize=1024)
def layer(model: Model, number: int) -> Weights:
    """One layer as it is in the files. Norms are left out: a millionth of it."""
    if not model.experts[number]:
        return attention(model) + Weights(3 * model.hidden_size * model.intermediate_size * model.linear)
    experts = model.n_routed_experts + model.n_shared_experts
    router = model.hidden_size * model.n_routed_experts * model.plain
    return attention(model) + Weights(3 * model.hidden_size * model.moe_intermediate_size * experts * model.linear, router)


def vocabulary(model: Model) -> Weights:
    """The embedding; the head that gives the logits has the same size. Neither is quantised."""
    return Weights(padded_vocabulary(model) * model.hidden_size * model.plain)


def padded_vocabulary(model: Model) -> int:
    """Rows that the engine keeps."""
    return -(-model.vocab_size // VOCABULARY_PAD) * VOCABULARY_PAD


def loaded(model: Model) -> float:
    """Bytes of the whole model, once, before the engine adds its own."""
    layers = sum(layer(model, number).total for number in range(model.num_hidden_layers))
    return layers + 2 * vocabulary(model).total


def stage(model: Model, first: int, end: int) -> Weights:
    """What the ranks of a stage hold: layers `first` to `end` - 1, the head on every one of them, the embedding at the beginning."""
    held = vocabulary(model) + (vocabulary(model) if first == 0 else Weights())
    for number in range(first, end):
        held = held + layer(model, number) + absorbed(model)
    return held
