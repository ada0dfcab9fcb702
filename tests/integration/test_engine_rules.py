# SPDX-License-Identifier: GPL-3.0-or-later
"""The serving plan against the engine's own rules: functions of vLLM 0.7.2, taken out of its archive and run here.

The archive comes once from the package index and is kept in .lab/cache; nothing of it is in this repository.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import logging
import os
import random
import tarfile
import types
import typing
from pathlib import Path

import pytest
import yaml
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan import memory, model, partition, ranks

REPOSITORY = Path(__file__).resolve().parents[2]
ENGINE = yaml.safe_load((REPOSITORY / "roles/vllm_build/defaults/main/engine.yml").read_text(encoding="utf-8"))
ROLE = yaml.safe_load((REPOSITORY / "roles/gh200/defaults/main/model.yml").read_text(encoding="utf-8"))
SHAPES = [
    (layers, stages) for layers in (5, 27, 60, 61, 64) for stages in (1, 2, 3, 4, 5, 6, 8, 12, 16) if stages <= layers
]


@pytest.fixture(name="source", scope="module")
def engine_source():
    """source(path): text of a file of the archive."""
    program = REPOSITORY / "roles/vllm_build/files/fetch_source.py"
    spec = importlib.util.spec_from_file_location(program.stem, program)
    fetch = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fetch)
    version = ENGINE["vllm_build_version"]
    name = f"vllm-{version}.tar.gz"
    target = Path(os.environ.get("LAB_ROOT", REPOSITORY / ".lab")) / "cache" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    fetch.main("vllm", name, ENGINE["vllm_build_sha256"], str(target))

    with tarfile.open(target) as archive:
        yield functools.cache(lambda path: archive.extractfile(f"vllm-{version}/{path}").read().decode())


def function(text, name, **world):
    """One function out of a module's text, however deep it is, in a world of its own."""
    (node,) = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef) and node.name == name]
    names = {**vars(typing), "logger": logging.getLogger(name), "RayWorkerMetaData": object, **world}
    exec(compile(ast.Module([node], []), name, "exec"), names)  # pylint: disable=exec-used
    return names[name]


@pytest.fixture(name="engine_bounds")
def bounds_of_the_engine(source):
    """engine_bounds(layers, stages, partition): what each stage's process would take."""

    def bounds(layers, stages, text=None):
        envs = types.SimpleNamespace(VLLM_PP_LAYER_PARTITION=text)
        indices = function(source("vllm/distributed/utils.py"), "get_pp_indices", envs=envs)
        return [indices(layers, rank, stages) for rank in range(stages)]

    return bounds


@pytest.mark.parametrize(("layers", "stages"), SHAPES)
def test_a_partition_means_the_same_layers_to_the_engine(engine_bounds, layers, stages):
    cut = partition.cut(layers, stages, 3)
    assert engine_bounds(layers, stages, ",".join(map(str, cut))) == partition.bounds(cut)


@pytest.mark.parametrize(("layers", "stages"), SHAPES)
def test_what_the_engine_does_untold_is_known(engine_bounds, layers, stages):
    assert engine_bounds(layers, stages) == partition.bounds(partition.engine_cut(layers, stages))


def test_the_engines_own_cut_is_another(engine_bounds):
    assert engine_bounds(5, 2) != partition.bounds(partition.cut(5, 2, 1))
    assert engine_bounds(61, 4) != partition.bounds(partition.cut(61, 4, 3))


@pytest.mark.parametrize("text", ["15,15,15,15", "30,31", "a,b,c,d", ""])
def test_what_the_engine_refuses_is_refused_here(engine_bounds, text):
    with pytest.raises(ValueError):
        engine_bounds(61, 4, text)
    with pytest.raises(ValueError):
        partition.given(text, 61, 4)


@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_in_the_engines_order(source, seed):
    """The process on the driver's node is rank 0 and is in no list; the others are sorted."""
    chance = random.Random(seed)
    numbers = chance.sample(range(2, 250), 16)
    nodes = {f"node-{number}": f"10.0.0.{number}" for number in numbers}
    driver = chance.choice(list(nodes))
    key = function(
        source("vllm/executor/ray_distributed_executor.py"),
        "sort_by_driver_then_worker_ip",
        driver_ip=nodes[driver],
        ip_counts=dict.fromkeys(nodes.values(), 1),
    )
    workers = [types.SimpleNamespace(ip=address) for name, address in nodes.items() if name != driver]
    theirs = [nodes[driver], *(worker.ip for worker in sorted(workers, key=key))]
    assert [nodes[name] for name in ranks.order(nodes, driver)] == theirs
    assert theirs[1:] != sorted(theirs[1:], key=lambda address: int(address.rpartition(".")[2]))


def test_the_cache_is_padded_as_in_the_engine(source):
    text = source("vllm/utils.py")
    align = function(
        text,
        "align_to_256bytes",
        get_dtype_size=lambda dtype: dtype,
        round_up=function(text, "round_up"),
        torch=types.SimpleNamespace(dtype=int),
    )
    config = ROLE["gh200_models"]["r1"]["config"]
    for rank in (512, 448, 64, 1):
        sizes = model.read(config | {"kv_lora_rank": rank})
        assert memory.kv_bytes(sizes) == 2 * align(rank + 64, 2)
