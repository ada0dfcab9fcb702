# SPDX-License-Identifier: GPL-3.0-or-later
"""Image families: what lies above the base image, and a family that has lost a part."""

from __future__ import annotations

import pytest

from lab.config import Paths
from lab.errors import LabError
from lab.nodes import flavour


def test_a_family_is_its_layers_in_order(tmp_path):
    paths, upper, lower = Paths(tmp_path), tmp_path / "upper", tmp_path / "lower"
    upper.mkdir()
    lower.mkdir()
    assert flavour.names(paths) == [] and flavour.layers(paths, "cuda-12-4") == []
    flavour.define(paths, "cuda-12-4", [upper, lower])
    assert flavour.names(paths) == ["cuda-12-4"]
    assert flavour.layers(paths, "cuda-12-4") == [upper, lower]
    assert flavour.layers(paths, "lambda-stack-22-04") == []


def test_a_layer_that_is_gone_is_named(tmp_path):
    flavour.define(Paths(tmp_path), "cuda-12-4", [tmp_path / "gone"])
    with pytest.raises(LabError, match=r"cuda-12-4 lacks its folder .*/gone"):
        flavour.layers(Paths(tmp_path), "cuda-12-4")
