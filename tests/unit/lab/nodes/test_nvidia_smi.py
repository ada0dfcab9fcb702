# SPDX-License-Identifier: GPL-3.0-or-later
"""nvidia-smi of a node answers what tools ask."""

from __future__ import annotations

import subprocess
import sys

import pytest
from lab.nodes import nvidia_smi


@pytest.mark.parametrize(("arguments", "out"), [
    (["-L"], "GPU 0: NVIDIA GH200 480GB (UUID: GPU-6c4f5a1e-0000-4000-8000-000000000200)\n"),
    (["--query-gpu=name,memory.total", "--format=csv"], "name, memory.total\nNVIDIA GH200 480GB, 97871 MiB\n"),
    (["--query-gpu=memory.total", "--format=csv,noheader,nounits"], "97871\n"),
    (["--format=csv,noheader", "--query-gpu=index,utilization.gpu,compute_cap"], "0, 0 %, 9.0\n"),
])
def test_a_question_has_its_answer(capsys, arguments, out):
    assert nvidia_smi.main(arguments) == 0
    assert capsys.readouterr().out == out


def test_an_unknown_field_is_refused_before_anything_is_printed(capsys):
    assert nvidia_smi.main(["--query-gpu=name,soul", "--format=csv"]) == 2
    assert capsys.readouterr().out == 'Field "soul" is not a valid field to query.\n'


def test_the_table_is_even_and_the_file_runs_alone():
    out = subprocess.run([sys.executable, "-I", nvidia_smi.__file__], capture_output=True, text=True, check=True).stdout
    assert "NVIDIA GH200 480GB" in out and len({len(line) for line in out.splitlines()}) == 1
