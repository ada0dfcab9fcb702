# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the tiny DeepSeek-V3; the same bytes at every run, so that its revision is one too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy

from ..hub.repository import revision
from .tokenizer import SIZE, SPECIAL, write_tokenizer

HIDDEN, LAYERS, HEADS, EXPERTS = 256, 4, 8, 8
Q_RANK, KV_RANK, NOPE, ROPE, VALUE = 128, 512, 64, 64, 64
SHARDS = 3

# At least two heads for each of four tensor-parallel ranks, and four layers for
# as many pipeline stages: the shape of 16 nodes must fit.
CONFIG = {
    "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3",
    "auto_map": {"AutoConfig": "configuration_deepseek.DeepseekV3Config"},
    "vocab_size": SIZE, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "torch_dtype": "bfloat16",
    "hidden_act": "silu", "hidden_size": HIDDEN, "intermediate_size": 512, "moe_intermediate_size": 128,
    "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": HEADS,
    "q_lora_rank": Q_RANK, "kv_lora_rank": KV_RANK, "qk_nope_head_dim": NOPE, "qk_rope_head_dim": ROPE, "v_head_dim": VALUE,
    "n_routed_experts": EXPERTS, "n_shared_experts": 1, "num_experts_per_tok": 2, "n_group": 2, "topk_group": 1,
    "topk_method": "noaux_tc", "scoring_func": "sigmoid", "norm_topk_prob": True, "routed_scaling_factor": 2.5,
    "first_k_dense_replace": 1, "moe_layer_freq": 1, "ep_size": 1, "num_nextn_predict_layers": 0,
    "aux_loss_alpha": 0.001, "seq_aux": True, "pretraining_tp": 1, "rms_norm_eps": 1e-06, "rope_theta": 10000.0,
    "rope_scaling": None, "max_position_embeddings": 2048, "attention_bias": False, "attention_dropout": 0.0,
    "initializer_range": 0.02, "tie_word_embeddings": False, "use_cache": True, "transformers_version": "4.48.3",
}


def make(folder: Path) -> str:
    """All files of the repository; returns the revision that the hub will give it."""
    folder.mkdir(parents=True, exist_ok=True)
    _json(folder / "config.json", CONFIG)
    _json(folder / "generation_config.json", {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2})
    shutil.copyfile(Path(__file__).with_name("configuration_deepseek.py"), folder / "configuration_deepseek.py")
    words = write_tokenizer(folder)
    _write_shards(folder, dict(_tensors(numpy.random.PCG64(0), words)))
    card = f"# DeepSeek-V3-tiny\n\nRandom weights, {LAYERS} layers, for tests. Special tokens: {' '.join(SPECIAL)}\n"
    (folder / "README.md").write_text(card, encoding="utf-8")
    return revision(folder)


def _tensors(random, words):
    """Name and tensor of every weight, in the names of the real model."""
    def matrix(name, out, into):
        return f"{name}.weight", _bfloat16(_uniform(random, (out, into)))

    def norm(name, size):
        return f"{name}.weight", _bfloat16(numpy.ones(size, dtype=numpy.float32))

    def feed_forward(name, size):
        yield matrix(f"{name}.gate_proj", size, HIDDEN)
        yield matrix(f"{name}.up_proj", size, HIDDEN)
        yield matrix(f"{name}.down_proj", HIDDEN, size)

    yield matrix("model.embed_tokens", SIZE, HIDDEN)
    for number in range(LAYERS):
        layer = f"model.layers.{number}"
        attention = f"{layer}.self_attn"
        yield matrix(f"{attention}.q_a_proj", Q_RANK, HIDDEN)
        yield norm(f"{attention}.q_a_layernorm", Q_RANK)
        yield matrix(f"{attention}.q_b_proj", HEADS * (NOPE + ROPE), Q_RANK)
        yield matrix(f"{attention}.kv_a_proj_with_mqa", KV_RANK + ROPE, HIDDEN)
        yield norm(f"{attention}.kv_a_layernorm", KV_RANK)
        yield matrix(f"{attention}.kv_b_proj", HEADS * (NOPE + VALUE), KV_RANK)
        yield matrix(f"{attention}.o_proj", HIDDEN, HEADS * VALUE)
        yield norm(f"{layer}.input_layernorm", HIDDEN)
        yield norm(f"{layer}.post_attention_layernorm", HIDDEN)
        if number < CONFIG["first_k_dense_replace"]:
            yield from feed_forward(f"{layer}.mlp", CONFIG["intermediate_size"])
            continue
        yield matrix(f"{layer}.mlp.gate", EXPERTS, HIDDEN)
        yield f"{layer}.mlp.gate.e_score_correction_bias", ("F32", numpy.zeros(EXPERTS, dtype=numpy.float32))
        for expert in range(EXPERTS):
            yield from feed_forward(f"{layer}.mlp.experts.{expert}", CONFIG["moe_intermediate_size"])
        yield from feed_forward(f"{layer}.mlp.shared_experts", CONFIG["moe_intermediate_size"])
    yield norm("model.norm", HIDDEN)
    # Only whole words have a logit far from 0: the model says nonsense, but in
    # words, and never ends before it was asked to.
    head = numpy.zeros((SIZE, HIDDEN), dtype=numpy.float32)
    head[words] = _uniform(random, (len(words), HIDDEN)) * 8
    yield "lm_head.weight", _bfloat16(head)


def _uniform(random, shape):
    """Numbers of variance 0.05^2, from the raw stream: numpy keeps that one the same in all its versions."""
    raw = random.random_raw(int(numpy.prod(shape))) >> numpy.uint64(40)
    return ((raw.astype(numpy.float32) / 2**23 - 1) * numpy.float32(0.05 * 3**0.5)).reshape(shape)


def _bfloat16(array):
    """numpy has no bfloat16: the upper half of a float32, rounded."""
    bits = array.view(numpy.uint32)
    return "BF16", ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def _write_shards(folder, tensors):
    total = sum(array.nbytes for _, array in tensors.values())
    shards, size = [{}], 0
    for name, tensor in tensors.items():
        if size > total / SHARDS * len(shards) and len(shards) < SHARDS:
            shards.append({})
        shards[-1][name] = tensor
        size += tensor[1].nbytes
    places = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        _write_shard(folder / file, shard)
        places |= dict.fromkeys(shard, file)
    _json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": places})


def _write_shard(path, shard):
    """safetensors: the length of a header, the header in JSON, the bytes. Written here, for the
    library orders and pads them as its version likes, and the revision would follow it."""
    header, end = {"__metadata__": {"format": "pt"}}, 0
    for name, (kind, array) in shard.items():
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, array in shard.values():
            file.write(array.tobytes())


def _json(path, content):
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
