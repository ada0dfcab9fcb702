# SPDX-License-Identifier: GPL-3.0-or-later
"""Planted faults change what they say and nothing else, and leave no trace."""

from __future__ import annotations

import json

import numpy
import pytest
from safetensors.numpy import load_file

from lab.model import CONFIG, layout
from tests.faults import plant

NAMES = [
    f"model.layers.{layer}.{part}.weight"
    for layer in range(5)
    for part in ("self_attn.o_proj", "self_attn.q_a_proj", "mlp.experts.1.down_proj")
]


@pytest.fixture(name="folder")
def model_folder(tmp_path):
    """A model whose tensors have the number of their place."""
    layout.write_shards(
        tmp_path, {name: numpy.full((8, 4), number + 1, dtype=numpy.float32) for number, name in enumerate(NAMES)}
    )
    layout.write_json(tmp_path / "config.json", CONFIG)
    return tmp_path


def numbers(folder):
    """Tensor to its number."""
    tensors = {}
    for path in folder.glob("*.safetensors"):
        tensors |= load_file(path)
    assert all((tensor == tensor.flat[0]).all() for tensor in tensors.values())
    return {name: int(tensor.flat[0]) for name, tensor in tensors.items()}


def bytes_of(folder):
    """Every file as it is, with the time of its last change."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_a_dropped_layer_adds_nothing_and_the_others_stay(folder):
    before = numbers(folder)
    plant.main("plant", "drop", str(folder))
    zeroed = {"model.layers.3.self_attn.o_proj.weight", "model.layers.3.mlp.experts.1.down_proj.weight"}
    assert numbers(folder) == before | dict.fromkeys(zeroed, 0)


def test_two_layers_change_places_across_shards(folder):
    before = numbers(folder)
    plant.main("plant", "exchange", str(folder))
    after = numbers(folder)
    for name in NAMES:
        other = name.replace("layers.2", "layers.x").replace("layers.3", "layers.2").replace("layers.x", "layers.3")
        assert after[name] == before[other]


def test_rope_is_half_and_the_rest_of_the_configuration_is_the_same(folder):
    plant.main("plant", "rope", str(folder))
    assert json.loads((folder / "config.json").read_text(encoding="utf-8")) == CONFIG | {
        "rope_theta": CONFIG["rope_theta"] / 2
    }


@pytest.mark.parametrize("fault", plant.FAULTS)
def test_what_is_restored_is_the_very_file(folder, fault):
    before = bytes_of(folder)
    plant.main("plant", fault, str(folder))
    assert bytes_of(folder) != before
    plant.main("plant", "rope", str(folder))  # another one on top of it
    plant.main("restore", str(folder))
    assert bytes_of(folder) == before
