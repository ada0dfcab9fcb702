# SPDX-License-Identifier: GPL-3.0-or-later
"""Every shape of the cluster says what transformers says. The lab grows from one shape to the next.

SHAPES lists them: NODES:TENSORxPIPELINE, with blanks between.
"""

from __future__ import annotations

import os
import sys

import pytest

from tests.e2e import reference
from tests.e2e.running import playbook, server, shown

SHAPES = os.environ.get("SHAPES", "1:1x1 2:2x1 2:1x2 4:2x2").split()


@pytest.fixture(name="expected", scope="module")
def answers():
    """Those of transformers."""
    return reference.load()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_answers_are_those_of_transformers(shape, expected):
    nodes, cut = shape.split(":")
    tensor, pipeline = cut.split("x")
    assert shown(sys.executable, "-m", "lab", "up", "--nodes", nodes)[0] == 0
    cuts = ["-e", f"gh200_tensor_parallel={tensor}", "-e", f"gh200_pipeline_parallel={pipeline}"]
    assert playbook("site.yml", "-e", "gh200_allow_shrink=true", *cuts)[0] == 0
    assert reference.check(server(), expected) == []
