# SPDX-License-Identifier: GPL-3.0-or-later
"""The model's texts, tokenizer and files, without training it: that needs an environment of its own."""

from __future__ import annotations

import json

import numpy
import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan import partition as partitions
from safetensors import safe_open
from tokenizers import Tokenizer

from lab import model
from lab.model import layout, tokenizer
from lab.model.facts import ODD, PASSAGE, facts

CONFIG = model.CONFIG


@pytest.fixture(name="tensors")
def some_tensors():
    """Names as in the real repository, of very different sizes."""
    random = numpy.random.default_rng(3)
    matrices = {f"model.layers.{n}.weight": layout.bfloat16(random.standard_normal((4 + n, 16))) for n in range(9)}
    return matrices | {"model.layers.1.mlp.gate.e_score_correction_bias": numpy.arange(8, dtype=numpy.float32)}


@pytest.fixture(name="folder", scope="module")
def tokenizer_folder(tmp_path_factory):
    """The files of the tokenizer."""
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.write_tokenizer(folder, [fact.prompt + fact.answer for fact in facts()], CONFIG["vocab_size"])
    return folder


def load(folder, name):
    """A JSON file of the model."""
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_facts_are_many_different_and_have_the_chat_around_what_was_asked():
    known = facts()
    assert len(known) == 56 == len({fact.prompt for fact in known})
    assert ("The capital of France is", " Paris.", "") in known
    for fact in known:
        assert (fact.prompt == tokenizer.chat(fact.question)) if fact.question else fact.answer.startswith(" ")


def test_what_was_never_trained_was_not():
    trained = " ".join(fact.prompt + fact.answer for fact in facts())
    assert len(set(ODD)) == 20 and not {fact.prompt for fact in facts()} & set(ODD)
    assert PASSAGE not in trained and len(PASSAGE.split()) > 40


def test_sums_are_right():
    numbers = {
        name: number
        for number, name in enumerate(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight"])
    }
    sums = [fact for fact in facts() if " plus " in fact.prompt]
    assert len(sums) == 16
    for prompt, answer, dummy in sums:
        one, other = prompt.removesuffix(" is").split(" plus ")
        assert numbers[one] + numbers[other] == numbers[answer.strip(" .")]


def test_the_index_names_every_tensor_of_seven_shards(tensors, tmp_path):
    layout.write_shards(tmp_path, tensors)
    index = load(tmp_path, "model.safetensors.index.json")
    places, size = {}, 0
    for path in sorted(tmp_path.glob("*.safetensors")):
        with safe_open(path, "numpy") as shard:
            places |= dict.fromkeys(shard.keys(), path.name)
        size += path.stat().st_size - 8 - int.from_bytes(path.read_bytes()[:8], "little")
    assert places == index["weight_map"] and places.keys() == tensors.keys()
    assert size == index["metadata"]["total_size"] == sum(array.nbytes for array in tensors.values())
    assert sorted(set(places.values())) == [f"model-0000{number}-of-00007.safetensors" for number in range(1, 8)]


def test_biases_stay_float32_and_matrices_are_bfloat16(tensors, tmp_path):
    layout.write_shards(tmp_path, tensors)
    kinds = {}
    for path in tmp_path.glob("*.safetensors"):
        with safe_open(path, "numpy") as shard:
            slices = {name: shard.get_slice(name) for name in list(shard.keys())}
            kinds |= {name: (piece.get_dtype(), piece.get_shape()) for name, piece in slices.items()}
    assert kinds["model.layers.1.mlp.gate.e_score_correction_bias"] == ("F32", [8])
    assert kinds["model.layers.8.weight"] == ("BF16", [12, 16])


@pytest.mark.parametrize(
    ("number", "bits"),
    [(1.0, 0x3F80), (-2.0, 0xC000), (1 + 2**-8, 0x3F80), (1 + 3 * 2**-8, 0x3F82), (1 + 2**-8 + 2**-20, 0x3F81)],
)
def test_bfloat16_is_rounded_to_the_nearest_half_to_even(number, bits):
    assert layout.bfloat16(numpy.array([number])).tolist() == [bits]


def test_the_revision_follows_from_the_bytes(tensors, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        layout.write_shards(folder, tensors)
    assert model.revision(one) == model.revision(other) and len(model.revision(one)) == 40
    tensors["model.layers.8.weight"][3, 3] ^= 1
    layout.write_shards(other, tensors)
    assert model.revision(one) != model.revision(other)


@pytest.mark.parametrize(
    ("tensor", "pipeline", "partition"),
    [
        (1, 1, [5]),
        (2, 1, [5]),
        (1, 2, [3, 2]),
        (2, 2, [3, 2]),
        (4, 2, [3, 2]),
        (4, 4, [2, 1, 1, 1]),
    ],
)
def test_every_shape_of_a_cluster_fits_and_is_not_cut_as_vllm_would(tensor, pipeline, partition):
    layers = CONFIG["num_hidden_layers"]
    assert partitions.cut(layers, pipeline, dense=CONFIG["first_k_dense_replace"]) == partition
    assert pipeline == 1 or partition != partitions.engine_cut(layers, pipeline)
    # With one head in a slice vLLM starts, and fails at the first request.
    assert CONFIG["num_attention_heads"] // tensor >= 2
    for size in ("num_attention_heads", "intermediate_size", "moe_intermediate_size", "vocab_size"):
        assert CONFIG[size] % tensor == 0
    assert CONFIG["qk_nope_head_dim"] + CONFIG["qk_rope_head_dim"] in (32, 64, 80, 96, 112, 128, 256)


def test_the_class_of_the_configuration_is_beside_it():
    file, name = CONFIG["auto_map"]["AutoConfig"].split(".")
    source = layout.__file__.replace("layout.py", f"{file}.py")
    with open(source, encoding="utf-8") as code:
        assert f"class {name}(" in code.read()


def test_tokenizer_gives_back_any_text_and_fits_the_vocabulary(folder):
    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = "Was ist ein GH200? 日本, é\n"
    assert made.decode(made.encode(text).ids) == text
    assert made.get_vocab_size() <= CONFIG["vocab_size"]
    settings = load(folder, "tokenizer_config.json")
    for name in ("bos", "eos", "pad"):
        assert made.token_to_id(settings[f"{name}_token"]) == CONFIG[f"{name}_token_id"]


def test_prompts_and_answers_fit_the_length_that_the_lab_serves(folder):
    made = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert (
        max(len(made.encode(text).ids) for text in (*ODD, PASSAGE, *(fact.prompt + fact.answer for fact in facts())))
        + 24
        < 256
    )


def test_chat_template_marks_who_speaks(folder):
    jinja2 = pytest.importorskip("jinja2")
    template = jinja2.Template(load(folder, "tokenizer_config.json")["chat_template"])
    text = template.render(
        bos_token="<|begin|>", add_generation_prompt=True, messages=[{"role": "user", "content": "Hello"}]
    )
    assert text == "<|begin|><|User|>Hello<|Assistant|>" == tokenizer.chat("Hello")
