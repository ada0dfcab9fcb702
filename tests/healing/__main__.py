# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.healing`: a lab of four nodes from nothing, all drills, and down again."""

from __future__ import annotations

import sys

import pytest

from tests.e2e.running import shown

if __name__ == "__main__":
    status, _output = shown("make", "--no-print-directory", "lab", "NODES=4")
    if status == 0:
        status = pytest.main(["-s", "tests/healing", *sys.argv[1:]])
    down, _output = shown("make", "--no-print-directory", "lab-down")
    sys.exit(status or down)
