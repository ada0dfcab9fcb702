# SPDX-License-Identifier: GPL-3.0-or-later
"""The models that plans are tested with."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

DEFAULTS = Path(__file__).resolve().parents[5] / "roles/gh200/defaults/main/model.yml"
# Five layers, of which one is dense; small enough for any GPU.
TINY = {
    "architectures": ["DeepseekV3ForCausalLM"], "torch_dtype": "bfloat16", "vocab_size": 640, "hidden_size": 256, "intermediate_size": 512,
    "moe_intermediate_size": 128, "num_hidden_layers": 5, "first_k_dense_replace": 1, "n_routed_experts": 16, "n_shared_experts": 1,
    "num_experts_per_tok": 4, "num_attention_heads": 8, "q_lora_rank": 64, "kv_lora_rank": 64, "qk_rope_head_dim": 16, "qk_nope_head_dim": 32, "v_head_dim": 32,
}


@pytest.fixture(name="r1", scope="session")
def r1_config():
    """As the role has it."""
    return yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["gh200_models"]["r1"]["config"]


@pytest.fixture(name="tiny")
def tiny_config():
    return dict(TINY)
