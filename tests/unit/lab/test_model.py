# SPDX-License-Identifier: GPL-3.0-or-later
"""The tiny model: one revision, a layout that vLLM loads, a shape that 4 and 16 nodes can cut."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from lab import model
from safetensors import safe_open
from tokenizers import Tokenizer

REPOSITORY = Path(model.__file__).parents[2]


@pytest.fixture(name="folder", scope="module")
def made(tmp_path_factory):
    """The model, made once for all tests here."""
    folder = tmp_path_factory.mktemp("model")
    model.make(folder)
    return folder


def load(folder, name):
    """A JSON file of the model."""
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_another_process_makes_the_same_revision(folder, tmp_path):
    seed = os.environ | {"PYTHONHASHSEED": "7"}
    command = [sys.executable, "-m", "lab.model", str(tmp_path)]
    printed = subprocess.run(command, cwd=REPOSITORY, env=seed, capture_output=True, text=True, check=True).stdout.strip()
    assert printed == model.revision(folder) and len(printed) == 40


def test_the_index_names_every_tensor_of_three_shards(folder):
    index = load(folder, "model.safetensors.index.json")
    places, size = {}, 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "numpy") as shard:
            places |= dict.fromkeys(shard.keys(), path.name)
        header = int.from_bytes(path.read_bytes()[:8], "little")
        size += path.stat().st_size - 8 - header
    assert places == index["weight_map"] and size == index["metadata"]["total_size"]
    assert len(set(places.values())) == 3


def test_shapes_of_tensors_follow_the_configuration(folder):
    config = load(folder, "config.json")
    shapes = {}
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "numpy") as shard:
            shapes |= {name: shard.get_slice(name).get_shape() for name in shard.keys()}
    width = config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
    assert shapes["model.layers.3.self_attn.q_b_proj.weight"] == [config["num_attention_heads"] * width, config["q_lora_rank"]]
    assert shapes["model.layers.0.mlp.up_proj.weight"] == [config["intermediate_size"], config["hidden_size"]]
    assert shapes["model.layers.1.mlp.experts.7.down_proj.weight"] == [config["hidden_size"], config["moe_intermediate_size"]]
    assert shapes["lm_head.weight"] == shapes["model.embed_tokens.weight"] == [config["vocab_size"], config["hidden_size"]]


@pytest.mark.parametrize(("tensor", "pipeline"), [(1, 1), (2, 1), (2, 2), (4, 2), (4, 4)])
def test_every_shape_of_a_cluster_fits(folder, tensor, pipeline):
    config = load(folder, "config.json")
    assert config["num_hidden_layers"] % pipeline == 0
    # With one head in a slice vLLM starts, and fails at the first request.
    assert config["num_attention_heads"] // tensor >= 2
    for size in ("num_attention_heads", "intermediate_size", "moe_intermediate_size", "vocab_size"):
        assert config[size] % tensor == 0
    assert config["qk_nope_head_dim"] + config["qk_rope_head_dim"] in (32, 64, 80, 96, 112, 128, 256)


def test_the_class_of_the_configuration_is_beside_it(folder):
    file, name = load(folder, "config.json")["auto_map"]["AutoConfig"].split(".")
    assert f"class {name}(" in (folder / f"{file}.py").read_text(encoding="utf-8")


def test_tokenizer_gives_back_any_text_and_fits_the_vocabulary(folder):
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = "Was ist ein GH200? 日本, é\n"
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    config = load(folder, "config.json")
    assert tokenizer.get_vocab_size() <= config["vocab_size"]
    settings = load(folder, "tokenizer_config.json")
    for name in ("bos", "eos", "pad"):
        assert tokenizer.token_to_id(settings[f"{name}_token"]) == config[f"{name}_token_id"]


def test_chat_template_marks_who_speaks(folder):
    jinja2 = pytest.importorskip("jinja2")
    template = jinja2.Template(load(folder, "tokenizer_config.json")["chat_template"])
    text = template.render(bos_token="<|begin|>", add_generation_prompt=True, messages=[{"role": "user", "content": "Hello"}])
    assert text == "<|begin|><|User|>Hello<|Assistant|>"
