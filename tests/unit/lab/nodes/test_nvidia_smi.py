# SPDX-License-Identifier: GPL-3.0-or-later
"""nvidia-smi of a node answers what tools ask."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from lab.nodes import nvidia_smi


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["-L"], "GPU 0: NVIDIA GH200 480GB (simulated) (UUID: GPU-6c4f5a1e-0000-4000-8000-000000000200)\n"),
        (
            ["--query-gpu=name,memory.total", "--format=csv"],
            "name, memory.total\nNVIDIA GH200 480GB (simulated), 97871 MiB\n",
        ),
        (["--query-gpu=memory.total", "--format=csv,noheader,nounits"], "97871\n"),
        (
            ["--query-gpu=ecc.errors.uncorrected.volatile.total,fabric.state,fabric.status", "--format=csv,noheader"],
            "0, N/A, N/A\n",
        ),
        (
            ["--query-compute-apps=pid,process_name,used_memory", "--format=csv"],
            "pid, process_name, used_gpu_memory [MiB]\n",
        ),
        (["--format=csv,noheader", "--query-gpu=index,utilization.gpu,compute_cap"], "0, 0 %, 9.0\n"),
    ],
)
def test_a_question_has_its_answer(capsys, arguments, out):
    assert nvidia_smi.main(arguments) == 0
    assert capsys.readouterr().out == out


def test_an_unknown_field_is_refused_before_anything_is_printed(capsys):
    assert nvidia_smi.main(["--query-gpu=name,soul", "--format=csv"]) == 2
    assert capsys.readouterr().out == 'Field "soul" is not a valid field to query.\n'


def test_the_table_is_even_and_the_file_runs_alone():
    out = subprocess.run([sys.executable, "-I", nvidia_smi.__file__], capture_output=True, text=True, check=True).stdout
    assert "NVIDIA GH200 480GB (simul..." in out and len({len(line) for line in out.splitlines()}) == 1


@pytest.fixture(name="plant")
def planted_faults(tmp_path, monkeypatch):
    """plant({..}): what is wrong with the GPU from now on."""
    monkeypatch.setattr(nvidia_smi, "FAULTS", str(tmp_path / "faults.json"))
    return lambda faults: (tmp_path / "faults.json").write_text(json.dumps(faults), encoding="utf-8")


def test_a_planted_field_is_what_is_told(capsys, plant):
    plant({"memory.free": "48000", "ecc.errors.uncorrected.volatile.total": "3"})
    assert (
        nvidia_smi.main(
            [
                "--query-gpu=memory.free,memory.total,ecc.errors.uncorrected.volatile.total",
                "--format=csv,noheader,nounits",
            ]
        )
        == 0
    )
    assert capsys.readouterr().out == "48000, 97871, 3\n"


@pytest.mark.parametrize("arguments", [["-L"], ["--query-gpu=name"], []])
def test_a_planted_error_is_the_answer_to_everything(capsys, plant, arguments):
    plant({"error": "No devices were found"})
    assert nvidia_smi.main(arguments) == 9
    assert capsys.readouterr().out == "No devices were found\n"


def test_planted_processes_are_listed(capsys, plant):
    plant({"compute-apps": ["4711, python3, 40000 MiB"]})
    assert nvidia_smi.main(["--query-compute-apps=pid,process_name,used_memory", "--format=csv,noheader"]) == 0
    assert capsys.readouterr().out == "4711, python3, 40000 MiB\n"
