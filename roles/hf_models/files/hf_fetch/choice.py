# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a node needs, and which node gets a file from the hub: pure functions, the same on every node."""

import hashlib
import re

INDEX, CONFIG = "model.safetensors.index.json", "config.json"
LAYER = re.compile(r"model\.layers\.(\d+)\.")


def first_files(listing):
    """What must be there before anything can be chosen."""
    return {name for name in (INDEX, CONFIG) if name in listing}


def wanted(listing, layers, index, config):
    """Names that a node with `layers` = [first, last] needs; all of them for None, or where there is no index.

    A shard is known by the index. What no index knows, small files among it, is needed everywhere.
    """
    places = (index or {}).get("weight_map") if layers else None
    if not places:
        return set(listing)
    count = config.get("num_hidden_layers") or config.get("text_config", {}).get("num_hidden_layers")
    tied = not any(tensor.startswith("lm_head.") for tensor in places)
    needed = {file for tensor, file in places.items() if _needs(tensor, layers, count, tied)}
    return (set(listing) - set(places.values())) | (needed & set(listing))


def _needs(tensor, layers, count, tied):
    """Every rank makes the head, from the embedding where the two are one."""
    match = LAYER.match(tensor)
    if match:
        # Layers beyond the model's number predict further tokens; the engine skips them.
        return layers[0] <= int(match[1]) <= layers[1]
    if tensor.startswith("model.embed_tokens."):
        return layers[0] == 0 or tied
    if tensor.startswith("model.norm."):
        return not count or layers[1] >= count - 1
    return True


def owners(listing, needs):
    """Name to the address of the node that gets it from the hub: one that needs it, each about as many bytes.

    `needs` is address to names. Files that few need are given out first, large ones before small ones.
    """
    needers = {}
    for address in sorted(needs):
        for name in needs[address]:
            needers.setdefault(name, []).append(address)
    load = dict.fromkeys(needs, 0)
    chosen = {}
    for name in sorted(needers, key=lambda name: (len(needers[name]), -listing[name]["size"], name)):
        # With equal loads the name decides, or the first address would get all the small ones.
        chosen[name] = min(needers[name], key=lambda address: (load[address], rank(name, address)))
        load[chosen[name]] += listing[name]["size"]
    return chosen


def rank(name, address):
    """An order of the nodes that differs from file to file and is the same everywhere."""
    return hashlib.sha256(f"{name} {address}".encode()).hexdigest()


def heir(name, addresses):
    """Who gets a file from the hub in the place of an owner that is gone; None if nobody is left."""
    return min(addresses, key=lambda address: rank(name, address), default=None)
