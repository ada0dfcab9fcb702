# SPDX-License-Identifier: GPL-3.0-or-later
"""Files as DeepSeek's repository has them: shards, their index, JSON. Needs numpy only."""

from __future__ import annotations

import json
from pathlib import Path

import numpy

# Enough for the stages of a pipeline to differ in files.
SHARDS = 7


def bfloat16(array: numpy.ndarray) -> numpy.ndarray:
    """numpy has no bfloat16: the upper half of a float32, rounded to the nearest, half to even."""
    bits = numpy.ascontiguousarray(array, dtype=numpy.float32).view(numpy.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


def write_shards(folder: Path, tensors: dict[str, numpy.ndarray], count: int = SHARDS) -> None:
    """`count` files of about the same size and their index. Arrays of 16-bit integers are bfloat16, others float32."""
    total = sum(array.nbytes for array in tensors.values())
    shards: list[dict[str, numpy.ndarray]] = [{}]
    size = 0
    for name, array in tensors.items():
        if size > total / count * len(shards) and len(shards) < count:
            shards.append({})
        shards[-1][name] = array
        size += array.nbytes
    places: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        _write_shard(folder / file, shard)
        places |= dict.fromkeys(shard, file)
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": places})


def _write_shard(path: Path, shard: dict[str, numpy.ndarray]) -> None:
    """safetensors: the length of a header, the header in JSON, the bytes. Written here, for the
    library orders and pads them as its version likes, and the revision would follow it."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, array in shard.items():
        kind = "BF16" if array.dtype.itemsize == 2 else "F32"
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [end, end + array.nbytes]}
        end += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in shard.values():
            file.write(array.tobytes())


def write_json(path: Path, content: object) -> None:
    """The same bytes for the same content."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
