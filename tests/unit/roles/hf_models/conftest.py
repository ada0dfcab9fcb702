# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of the downloader, and a folder as it leaves one."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path

import pytest

FILES = Path(__file__).resolve().parents[4] / "roles/hf_models/files"
COMMIT = "c" * 40


@pytest.fixture(name="part")
def part_of_program(monkeypatch):
    """part("choice"): the module."""
    monkeypatch.syspath_prepend(FILES)
    return lambda name: importlib.import_module(f"hf_fetch.{name}")


def entry(content: bytes, large: bool = False) -> dict:
    """What the hub says of a file."""
    git = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest() if large else None, "git": git}


@pytest.fixture(name="content")
def files_of_the_hub():
    """Name to content: two layers in two shards, an index, small files."""
    index = b'{"weight_map": {"model.layers.0.w": "a.safetensors", "model.layers.1.w": "b.safetensors"}}'
    return {
        "model.safetensors.index.json": index,
        "config.json": b'{"num_hidden_layers": 2}',
        "sub/note.txt": b"note",
        "a.safetensors": b"weights of layer 0",
        "b.safetensors": b"weights of layer 1",
    }


@pytest.fixture(name="listing")
def what_the_hub_says(content):
    """Name to size and checksum."""
    return {name: entry(text, name.endswith(".safetensors")) for name, text in content.items()}


@pytest.fixture(name="model")
def half_way(part, tmp_path, content, listing):
    """model(layers, names): a folder in which these files were verified, all for None; read anew."""

    def make(layers=None, names=None, revision=COMMIT):
        made = part("model").Model("own/model", COMMIT, tmp_path / "m", layers)
        made.learn(listing)
        for name in content if names is None else names:
            path = made.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content[name])
            assert made.accept(name, path)
        return part("model").Model("own/model", revision, tmp_path / "m", layers)

    return make
