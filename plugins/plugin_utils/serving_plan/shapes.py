# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which tensor-parallel sizes the engine accepts for a model, and why not the others."""

from __future__ import annotations

from .model import Model
from .weights import padded_vocabulary


def width_problem(model: Model, tensor: int) -> str:
    """Why the model cannot be cut into so many tensor-parallel ranks; empty where it can."""
    if model.num_attention_heads % tensor:
        return f"{model.num_attention_heads} heads cannot be shared by {tensor} ranks"
    if padded_vocabulary(model) % tensor:
        return f"a vocabulary of {padded_vocabulary(model)} cannot be shared by {tensor} ranks"
    for name, size in cut_sizes(model).items():
        if size % tensor:
            return f"{name} {size} cannot be shared by {tensor} ranks"
        if size // tensor % model.block:
            return f"{name} {size} / {tensor} = {size // tensor} is no multiple of the quantised blocks of {model.block}"
    return ""


def cut_sizes(model: Model) -> dict[str, int]:
    """The sides of matrices along which the ranks share them."""
    heads = model.num_attention_heads
    sizes = {
        "expert size": model.moe_intermediate_size, "shared experts' size": model.moe_intermediate_size * model.n_shared_experts,
        "dense size": model.intermediate_size if not all(model.experts) else 0,
        "query size": heads * (model.qk_nope_head_dim + model.qk_rope_head_dim),
        "key and value size": heads * (model.qk_nope_head_dim + model.v_head_dim), "output size": heads * model.v_head_dim,
    }
    return {name: size for name, size in sizes.items() if size}


def widths(model: Model, gpus: int) -> list[int]:
    """Tensor-parallel sizes up to the number of GPUs that the engine accepts."""
    return [tensor for tensor in range(1, min(gpus, model.num_attention_heads) + 1) if not width_problem(model, tensor)]


def shapes(model: Model, gpus: int) -> list[tuple[int, int]]:
    """Every (tensor, pipeline) on at most so many GPUs."""
    return [(tensor, pipeline) for tensor in widths(model, gpus) for pipeline in range(1, min(gpus // tensor, model.num_hidden_layers) + 1)]
