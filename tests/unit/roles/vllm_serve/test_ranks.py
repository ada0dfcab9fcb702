# SPDX-License-Identifier: GPL-3.0-or-later
"""One environment for every rank, and every layer once."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest


@pytest.fixture(name="ranks")
def program(load):
    return load("vllm_serve/ranks.py")


def given(first, *others):
    return {"rank 0": first} | {f"n{number}, process {number}": variables for number, variables in enumerate(others, 1)}


def test_one_environment_is_right(ranks):
    assert ranks.differences(given({"VLLM_PP_LAYER_PARTITION": "3,2"}, {"VLLM_PP_LAYER_PARTITION": "3,2"})) is None


def test_a_partition_that_only_ray_knows_is_named(ranks):
    sentence = ranks.differences(given({}, {"VLLM_PP_LAYER_PARTITION": "3,2"}, {"VLLM_PP_LAYER_PARTITION": "3,2"}))
    assert "VLLM_PP_LAYER_PARTITION is no value in rank 0; '3,2' in n1, process 1 and n2, process 2" in sentence


def test_one_node_that_differs_is_named(ranks):
    sentence = ranks.differences(given({"NCCL_DEBUG": "WARN"}, {"NCCL_DEBUG": "WARN"}, {"NCCL_DEBUG": "INFO"}))
    assert "NCCL_DEBUG is 'WARN' in rank 0 and n1, process 1; 'INFO' in n2, process 2." in sentence


@pytest.mark.parametrize(
    ("layers", "stages", "partition", "spans"),
    [
        (5, 2, "", [(0, 2), (2, 5)]),
        (5, 2, "3,2", [(0, 3), (3, 5)]),
        (61, 4, "16,15,15,15", [(0, 16), (16, 31), (31, 46), (46, 61)]),
        (5, 1, "", [(0, 5)]),
        (61, 16, "", [(3 * n, 3 * n + 3) for n in range(15)] + [(45, 61)]),
    ],
)
def test_the_cut_is_the_engines(ranks, layers, stages, partition, spans):
    assert ranks.cut(layers, stages, partition) == spans


@pytest.mark.parametrize("partition", ["3,3", "5", "a,b", "3,2,"])
def test_a_partition_that_is_not_all_layers_once_is_named(ranks, partition):
    assert f"VLLM_PP_LAYER_PARTITION='{partition}'" in ranks.left_out(
        given({"VLLM_PP_LAYER_PARTITION": partition}), 5, 2
    )


def test_all_layers_once_is_right(ranks):
    assert ranks.left_out(given({"VLLM_PP_LAYER_PARTITION": "3,2"}, {"VLLM_PP_LAYER_PARTITION": "3,2"}), 5, 2) is None


@pytest.fixture(name="worker")
def titled_process():
    """A living process with a title and an environment of its own."""
    environment = {
        "VLLM_A": "1",
        "VLLM_API_KEY": "planted",
        "VLLM_HOST_IP": "10.0.0.1",
        "NCCL_DEBUG": "WARN",
        "OTHER": "x",
    }
    command = ["bash", "-c", "exec -a ray::RayWorkerWrapper.test sleep 60"]
    with subprocess.Popen(command, env={**environment, "PATH": os.environ["PATH"]}) as process:
        title = Path(f"/proc/{process.pid}/cmdline")
        while not title.read_bytes().startswith(b"ray::"):
            time.sleep(0.01)
        yield process.pid
        process.kill()


def test_the_environment_is_read_from_the_process_itself_and_no_secret_with_it(ranks, worker):
    found = ranks.processes(ranks.WORKER, ranks.PREFIXES, ranks.OWN)
    assert found[worker] == {"VLLM_A": "1", "NCCL_DEBUG": "WARN"} == ranks.environment(worker)


def test_a_unit_that_does_not_run_is_a_sentence(ranks, monkeypatch):
    monkeypatch.setattr(ranks.subprocess, "run", lambda *args, **options: subprocess.CompletedProcess(args, 0, "0\n"))
    with pytest.raises(SystemExit, match="vllm does not run"):
        ranks.main_pid("vllm")
