# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lines of vLLM 0.7.2 tell of its start."""

from __future__ import annotations

import json

import pytest

START = "INFO 02-07 10:00:00 llm_engine.py:234] Initializing a V0 LLM engine (v0.7.2) with config: model='/m'"
LOADS = "INFO 02-07 10:00:20 model_runner.py:1110] Starting to load model /m..."
SHARDS = "Loading safetensors checkpoint shards:  37% Completed | 60/163 [00:10<00:20,  5.2it/s]"
LOADED = "INFO 02-07 10:03:00 model_runner.py:1115] Loading model weights took 41.2 GB"
BLOCKS = "INFO 02-07 10:03:10 distributed_llm_engine.py] # cuda blocks: 21000, # CPU blocks: 3000"
GRAPHS = "Capturing CUDA graph shapes:  40%|####      | 14/35 [00:08<00:12,  1.7it/s]"
WARMED = "INFO 02-07 10:03:50 llm_engine.py:431] init engine (profile, create kv cache, warmup model) took 50.0 seconds"
SERVES = "INFO:     Application startup complete."
NOISE = "WARNING 02-07 10:00:00 api_server.py:1] Found ulimit of 1024 and failed to automatically increase"


@pytest.fixture(name="loading")
def loading_program(load):
    """The program."""
    return load("vllm_serve/loading.py")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (NOISE, {"what": "Starting the ranks", "step": 1}),
        (START, {"what": "Starting the ranks", "step": 1}),
        (LOADS, {"what": "Loading the model", "step": 2}),
        (SHARDS, {"what": "Loading the model", "step": 2, "done": 60, "total": 163}),
        (LOADED, {"what": "Measuring the memory", "step": 3}),
        (BLOCKS, {"what": "Warming up", "step": 4}),
        (GRAPHS, {"what": "Capturing CUDA graphs", "step": 5, "done": 14, "total": 35}),
        (WARMED, {"what": "Starting the server", "step": 6}),
        (SERVES, {"what": "Waiting for the first token", "step": 7}),
    ],
)
def test_each_line_tells_its_stage_and_noise_does_not_hide_it(loading, line, found):
    assert loading.stage([line, NOISE]) == {"steps": 8, **found}
    assert loading.stage([]) == {"what": "Starting the ranks", "step": 1, "steps": 8}


def test_the_line_of_a_rank_that_is_late_takes_nothing_back(loading):
    assert loading.stage([START, LOADS, SHARDS, LOADED, f"(RayWorkerWrapper pid=7) {LOADS}"])["step"] == 3
    assert loading.stage([SHARDS, GRAPHS, SHARDS]) == {
        "what": "Capturing CUDA graphs",
        "step": 5,
        "steps": 8,
        "done": 14,
        "total": 35,
    }


def test_it_is_printed_and_written_for_the_job(loading, tmp_path, monkeypatch, capsys):
    loading.tell({"what": "Starting the server", "step": 6, "steps": 8})
    monkeypatch.setenv("GH200_PROGRESS", str(tmp_path / "now.json"))
    shards = {"what": "Loading the model", "step": 2, "steps": 8, "done": 60, "total": 163}
    loading.tell(shards)
    assert capsys.readouterr().out == "Starting the server\nLoading the model, 60 of 163\n"
    assert json.loads((tmp_path / "now.json").read_text(encoding="utf-8")) == shards
    assert [path.name for path in tmp_path.iterdir()] == ["now.json"]


def test_bars_of_the_journal_are_taken_apart(loading, tmp_path, monkeypatch):
    for name, text in {
        "systemctl": "echo abc",
        "journalctl": 'printf "%s\\n" "$1"; printf "1/2\\r2/2\\nend\\n"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert loading.journal("vllm") == ["_SYSTEMD_INVOCATION_ID=abc", "1/2", "2/2", "end"]


CAUSE = "FileNotFoundError: Weight files referenced in index but missing: {'/m/a.safetensors'}"
ENGINE = "(EngineCore pid=1975) ERROR 11-26 05:16:37 [core.py:1510] "
RANK = "\x1b[36m(RayWorkerWrapper pid=668)\x1b[0m ERROR 02-07 10:00:20 worker_base.py:574] "
ITS_END = [
    "Traceback (most recent call last):",
    "RuntimeError: Engine core initialization failed. See root cause above.",
]


@pytest.mark.parametrize("before", ["", ENGINE, RANK])
def test_the_first_error_is_told_and_not_what_it_broke(loading, before):
    warning = "(APIServer pid=1) WARNING 11-26 05:16:11 [system_utils.py:255] errors like `OSError: [Errno 24] many`"
    again = f"{before}ray.exceptions.RayTaskError(FileNotFoundError): \x1b[36mray::RayWorkerProc.initialize_worker()"
    lines = [warning, f"{before}Traceback (most recent call last):", again, f"{before}{CAUSE}", *ITS_END]
    assert loading.last_words(lines) == CAUSE


@pytest.mark.parametrize(("lines", "words"), [([NOISE, SHARDS, ""], SHARDS), ([], "nothing yet")])
def test_without_an_error_it_is_the_last_line(loading, lines, words):
    assert loading.last_words(lines) == words
