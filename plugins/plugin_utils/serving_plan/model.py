# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a model's config.json to the sizes that a plan needs. Bytes are of one whole model, before it is cut."""

from __future__ import annotations

import dataclasses
import typing as t

from .errors import PlanError

ARCHITECTURES = ("DeepseekV3ForCausalLM", "DeepseekV2ForCausalLM")
DTYPES = {"bfloat16": 2, "float16": 2, "half": 2, "float32": 4, "float": 4}
SIZES = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim",
    "v_head_dim", "vocab_size",
)
EXPERT_SIZES = ("moe_intermediate_size", "num_experts_per_tok")


@dataclasses.dataclass(frozen=True)
class Model:
    """Sizes of a DeepSeek V2 or V3, with the names of config.json where they are its keys."""

    architecture: str
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    kv_lora_rank: int
    qk_rope_head_dim: int
    qk_nope_head_dim: int
    v_head_dim: int
    vocab_size: int
    q_lora_rank: int  # 0: queries are not compressed
    n_routed_experts: int
    n_shared_experts: int
    moe_intermediate_size: int
    num_experts_per_tok: int
    experts: tuple[bool, ...]  # for each layer, whether it has experts
    plain: int  # bytes of a number that is never quantised
    linear: float  # bytes of a number in a linear layer, with its share of the scales
    block: int  # side of a quantised block, 1 without blocks


def read(config: dict[str, t.Any], dtype: str = "auto") -> Model:
    """The model of a config.json. Raises PlanError where it is none that is known here."""
    if not isinstance(config, dict) or not config:
        raise PlanError("There is no config.json to plan from.")
    architecture = (config.get("architectures") or ["none"])[0]
    if architecture not in ARCHITECTURES:
        raise PlanError(f"The architecture {architecture} is not known here, so nothing can be said of its memory; known are {' and '.join(ARCHITECTURES)}.")
    sizes = {name: _size(config, name) for name in SIZES}
    routed = _size(config, "n_routed_experts", 0)
    sizes |= {name: _size(config, name) if routed else 0 for name in EXPERT_SIZES}
    plain = _plain(config, dtype)
    linear, block = _quantised(config.get("quantization_config"), plain)
    return Model(
        architecture=architecture, **sizes, q_lora_rank=_size(config, "q_lora_rank", 0), n_routed_experts=routed,
        n_shared_experts=_size(config, "n_shared_experts", 0), experts=_experts(config, sizes["num_hidden_layers"], routed),
        plain=plain, linear=linear, block=block,
    )


def _size(config: dict[str, t.Any], name: str, default: int | None = None) -> int:
    """A whole number, above 0 unless it may be missing."""
    value = config.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or value < (1 if default is None else 0):
        raise PlanError(f"config.json has {name}: {value!r}, and a whole number above 0 is needed.")
    return value


def _experts(config: dict[str, t.Any], layers: int, routed: int) -> tuple[bool, ...]:
    """Which layers have experts: from the first that is not dense, every moe_layer_freq-th."""
    dense, every = _size(config, "first_k_dense_replace", 0), _size(config, "moe_layer_freq", 1) or 1
    if dense > layers:
        raise PlanError(f"config.json has {dense} dense layers in a model of {layers} layers.")
    return tuple(bool(routed) and number >= dense and number % every == 0 for number in range(layers))


def _plain(config: dict[str, t.Any], dtype: str) -> int:
    name = str(config.get("torch_dtype") or config.get("dtype") or "bfloat16") if dtype == "auto" else dtype
    if name not in DTYPES:
        raise PlanError(f"The number format {name} is not known here; known are {', '.join(DTYPES)}.")
    # On GPUs the engine takes float16 for a float32 model, unless it is told a format.
    return 2 if dtype == "auto" and DTYPES[name] == 4 else DTYPES[name]


def _quantised(quantisation: t.Any, plain: int) -> tuple[float, int]:
    """Bytes of a number in linear layers, and the side of the blocks that share a scale."""
    if not quantisation:
        return plain, 1
    method, shape = quantisation.get("quant_method"), quantisation.get("weight_block_size")
    if method != "fp8" or (shape is not None and (len(shape) != 2 or shape[0] != shape[1])):
        raise PlanError(f"The quantisation {method} with blocks {shape} is not known here; known are none, and fp8 with square blocks or without.")
    block = int(shape[0]) if shape else 1
    return (1 + 4 / block**2 if shape else 1.0), block
