# SPDX-License-Identifier: GPL-3.0-or-later
"""A model that was switched to stays the one that is served, and what an inventory says wins over it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

DEFAULTS = Path(__file__).resolve().parents[4] / "roles/gh200/defaults/main"
MODEL = yaml.safe_load((DEFAULTS / "model.yml").read_text(encoding="utf-8"))


@pytest.fixture(name="model")
def model_of_a_fleet(tmp_path):
    """model(name): what the variable is in a fleet whose record is that text; None for no record."""

    def model(record, name="gh200_model"):
        if record is not None:
            (tmp_path / "r1").mkdir()
            (tmp_path / "r1/model").write_text(record, encoding="utf-8")
        values = {key: trust_as_template(text) for key, text in MODEL.items() if isinstance(text, str)}
        values |= {"gh200_models": MODEL["gh200_models"], "gh200_state_dir": str(tmp_path), "gh200_fleet": "r1"}
        return Templar(DataLoader(), values).template(trust_as_template(f"{{{{ {name} }}}}"))

    return model


@pytest.mark.parametrize(
    ("record", "served"), [(None, "r1"), ("v3", "v3"), ("v3\n", "v3"), ("r1", "r1"), ("gone", "r1"), ("", "r1")]
)
def test_the_record_counts_while_there_is_such_a_model(model, record, served):
    assert model(record) == served


@pytest.mark.parametrize(("record", "parser"), [(None, "deepseek_r1"), ("v3", "")])
def test_the_parser_follows_the_model(model, record, parser):
    assert model(record, "gh200_reasoning_parser") == parser
