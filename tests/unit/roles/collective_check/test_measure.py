# SPDX-License-Identifier: GPL-3.0-or-later
"""The ring of pairs, and a rank that cannot go on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[4] / "roles/collective_check/files/measure.py"


@pytest.mark.parametrize(("count", "pairs"), [(1, []), (2, [(0, 1), (1, 0)]), (4, [(0, 1), (1, 2), (2, 3), (3, 0)])])
def test_every_node_sends_once_and_receives_once(load, count, pairs):
    assert load("collective_check/measure.py").ring(count) == pairs


def test_an_environment_without_torch_is_a_line_and_no_traceback(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('no libcudart')\nmore\n", encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, str(PROGRAM), "{}"],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tmp_path)},
        input="",
    )
    assert [json.loads(line) for line in ran.stdout.splitlines()] == [
        {"step": "loading torch"},
        {"error": "ImportError: no libcudart"},
    ]
    assert (ran.returncode, ran.stderr) == (0, "")
