# SPDX-License-Identifier: GPL-3.0-or-later
"""Which node needs which file, and which one gets it from the hub."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan import ranks

SHARDS = [f"model-{number:05d}-of-00163.safetensors" for number in range(1, 164)]
# As R1's: 61 layers and one that predicts further tokens; shards end in the middle of layers.
TENSORS = [
    "model.embed_tokens.weight",
    *[f"model.layers.{layer}.{part}" for layer in range(62) for part in range(40)],
    "model.norm.weight",
    "lm_head.weight",
]
R1 = {tensor: SHARDS[number * 163 // len(TENSORS)] for number, tensor in enumerate(TENSORS)}
SMALL = ["README.md", "config.json", "model.safetensors.index.json", "tokenizer.json", "other.bin"]
LISTING = {name: {"size": 4_000_000_000} for name in SHARDS} | {name: {"size": 9_000_000} for name in SMALL}
STAGES = [(0, 15), (16, 30), (31, 45), (46, 60)]
CONFIG = {"num_hidden_layers": 61}


@pytest.fixture(name="choice")
def module(part):
    return part("choice")


def wanted(choice, layers):
    return choice.wanted(LISTING, layers, {"weight_map": R1}, CONFIG)


@pytest.mark.parametrize(("first", "last"), STAGES)
def test_a_stage_has_what_the_plan_says_and_all_small_files(choice, first, last):
    assert wanted(choice, [first, last]) == set(ranks.shards(R1, first, last + 1, 61)) | set(SMALL)


def test_a_stage_of_four_is_about_a_quarter_and_all_together_have_every_layer(choice):
    parts = [wanted(choice, list(stage)) for stage in STAGES]
    assert all(len(part) < 0.3 * len(LISTING) for part in parts)
    # What only predicts further tokens nobody needs.
    assert {R1[tensor] for tensor in TENSORS if ".layers.61." not in tensor} <= set().union(*parts)


def test_the_head_is_everywhere_the_embedding_and_the_last_norm_where_they_are_used(choice):
    places = {
        "model.embed_tokens.weight": "e",
        "model.layers.0.w": "0",
        "model.layers.1.w": "1",
        "model.norm.weight": "n",
        "lm_head.weight": "h",
    }
    listing = dict.fromkeys([*places.values(), "config.json"])

    def needs(layers, config, index):
        return choice.wanted(listing, layers, {"weight_map": index}, config)

    two = {"num_hidden_layers": 2}
    assert needs([0, 0], two, places) == {"e", "0", "h", "config.json"}
    assert needs([1, 1], two, places) == {"1", "n", "h", "config.json"}
    assert "n" in needs([0, 0], {}, places)  # where the number of layers is not known
    tied = {tensor: file for tensor, file in places.items() if file != "h"}
    assert "e" in needs([1, 1], two, tied)  # the head is made of it


@pytest.mark.parametrize(
    ("layers", "index"), [(None, {"weight_map": R1}), ([0, 1], {}), ([0, 1], None), ([0, 1], {"weight_map": {}})]
)
def test_without_layers_or_index_all_is_needed(choice, layers, index):
    assert choice.wanted(LISTING, layers, index, CONFIG) == set(LISTING)


def needs_of(choice, count=16):
    return {f"10.0.0.{number}": wanted(choice, list(STAGES[number * 4 // count])) for number in range(count)}


def test_each_file_has_one_owner_that_needs_it_and_each_owner_about_as_many_bytes(choice):
    needs = needs_of(choice)
    owners = choice.owners(LISTING, needs)
    assert set(owners) == set().union(*needs.values())
    assert all(name in needs[address] for name, address in owners.items())
    loads = [sum(LISTING[name]["size"] for name in owners if owners[name] == address) for address in needs]
    assert max(loads) - min(loads) <= 2 * 4_000_000_000


def test_every_node_finds_the_same_owners(choice):
    needs = needs_of(choice)
    turned = dict(reversed([(address, sorted(names, reverse=True)) for address, names in needs.items()]))
    assert choice.owners(dict(reversed(LISTING.items())), turned) == choice.owners(LISTING, needs)


def test_heirs_are_the_same_everywhere_and_spread(choice):
    addresses = [f"10.0.0.{number}" for number in range(4)]
    heirs = {name: choice.heir(name, addresses) for name in SHARDS}
    assert heirs == {name: choice.heir(name, reversed(addresses)) for name in SHARDS}
    assert set(heirs.values()) == set(addresses) and choice.heir("a", []) is None
