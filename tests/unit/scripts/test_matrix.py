# SPDX-License-Identifier: GPL-3.0-or-later
"""What is run on what, and how a log becomes a verdict."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from scripts import matrix

REPOSITORY = Path(__file__).resolve().parents[3]
ROWS = matrix.rows((REPOSITORY / "scripts/matrix.txt").read_text(encoding="utf-8"))


def test_the_environment_of_every_day_is_a_row():
    (core,) = re.findall(r"^ansible-core==(.+)$", (REPOSITORY / "constraints.txt").read_text(encoding="utf-8"), re.M)
    # In a row of the matrix itself the core is that row's.
    assert core in {row.core for row in ROWS}
    assert any(row.debian == 12 for row in ROWS)


def test_the_oldest_row_is_the_oldest_that_is_allowed():
    allowed = yaml.safe_load((REPOSITORY / "meta/runtime.yml").read_text(encoding="utf-8"))["requires_ansible"]
    series = sorted(tuple(int(part) for part in row.core.split(".")[:2]) for row in ROWS)
    assert allowed == f">={series[0][0]}.{series[0][1]}.0"


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="not enough values"):
        matrix.rows("2.19.14 3.11\n")


def test_a_log_says_what_passed_and_how_much():
    log = (
        "== 3 passed in 0.10s ==\nunit: passed\n== 1 failed, 2 passed in 65.00s (0:01:05) ==\nintegration: failed\n"
        "Running sanity test\nsanity: passed\n"
    )
    assert matrix.outcome(log) == {
        "unit": "passed (3 passed)",
        "integration": "failed (1 failed, 2 passed)",
        "sanity": "passed",
    }
    assert matrix.outcome("setup: no network\n") == {}
