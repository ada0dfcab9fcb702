# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node, as root: `python3 - plant FAULT MODEL` spoils the model's files, `python3 - restore MODEL` gives back
the originals.

An original is moved aside, never written to, so that what is restored is the very file. The standard library only.
"""

import json
import os
import shutil
import sys

KEPT = ".kept"


def main(action, *rest):
    if action == "restore":
        return restore(rest[0])
    fault, folder = rest
    restore(folder)
    return FAULTS[fault](folder)


def drop(folder):
    """Layer 3 adds nothing: what leads out of its attention and its experts is 0."""
    spoil(
        folder,
        [
            name
            for name in places(folder)
            if name.startswith("model.layers.3.") and name.endswith(("o_proj.weight", "down_proj.weight"))
        ],
        zero,
    )


def exchange(folder):
    """Layers 2 and 3 change places."""
    names = [name for name in places(folder) if name.startswith("model.layers.2.")]
    ones, others = read(folder, names), read(folder, [twin(name) for name in names])
    both = {name: others[twin(name)] for name in names} | {twin(name): ones[name] for name in names}
    spoil(folder, list(both), lambda name, data: both[name])


def rope(folder):
    """Half the base of the positions' frequencies."""
    path = aside(folder, "config.json")
    with open(f"{path}{KEPT}", encoding="utf-8") as file:
        config = json.load(file)
    config["rope_theta"] /= 2
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file)


FAULTS = {"drop": drop, "exchange": exchange, "rope": rope}


def twin(name):
    return name.replace("model.layers.2.", "model.layers.3.")


def zero(name, data):
    return bytes(len(data))


def spoil(folder, names, change):
    """Each tensor's bytes become what `change` makes of its name and bytes."""
    old = read(folder, names)
    for shard in sorted({places(folder)[name] for name in names}):
        path = aside(folder, shard)
        shutil.copyfile(f"{path}{KEPT}", path)
        with open(path, "r+b") as file:
            ranges = header(file)
            for name in names:
                if name in ranges:
                    file.seek(ranges[name][0])
                    file.write(change(name, old[name]))


def places(folder):
    """Tensor to shard."""
    # A node that has only its stage's shards has the index under another name.
    names = ("model.safetensors.index.json", ".gh200-index.json")
    (path,) = [path for path in (os.path.join(folder, name) for name in names) if os.path.exists(path)]
    with open(path, encoding="utf-8") as file:
        return json.load(file)["weight_map"]


def header(file):
    """Tensor to the first byte and the byte after the last, in the file."""
    length = int.from_bytes(file.read(8), "little")
    described = json.loads(file.read(length))
    return {
        name: [8 + length + offset for offset in item["data_offsets"]]
        for name, item in described.items()
        if name != "__metadata__"
    }


def read(folder, names):
    """Tensor to bytes."""
    found, shards = {}, places(folder)
    for name in names:
        with open(os.path.join(folder, shards[name]), "rb") as file:
            first, end = header(file)[name]
            file.seek(first)
            found[name] = file.read(end - first)
    return found


def aside(folder, name):
    """The path, from which the original has gone."""
    path = os.path.join(folder, name)
    os.rename(path, f"{path}{KEPT}")
    return path


def restore(folder):
    for name in os.listdir(folder):
        if name.endswith(KEPT):
            os.replace(os.path.join(folder, name), os.path.join(folder, name.removesuffix(KEPT)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
