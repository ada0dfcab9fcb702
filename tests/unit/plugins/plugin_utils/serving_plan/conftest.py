# SPDX-License-Identifier: GPL-3.0-or-later
"""The models that plans are tested with."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.models import TINY

DEFAULTS = Path(__file__).resolve().parents[5] / "roles/gh200/defaults/main/model.yml"


@pytest.fixture(name="r1", scope="session")
def r1_config():
    """As the role has it."""
    return yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["gh200_models"]["r1"]["config"]


@pytest.fixture(name="tiny")
def tiny_config():
    return dict(TINY)
