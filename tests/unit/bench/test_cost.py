# SPDX-License-Identifier: GPL-3.0-or-later
"""Seconds of CPU are read from the control group, whichever of the two layouts the machine has."""

from __future__ import annotations

import pytest

from tests.bench.cost import Meter


@pytest.mark.parametrize(
    ("marker", "below", "file", "text"),
    [
        ("cgroup.controllers", ".", "cpu.stat", "usage_usec 2500000\nuser_usec 1\nsystem_usec 2\n"),
        ("cpuacct/tasks", "cpuacct", "cpuacct.usage", "2500000000\n"),
    ],
)
def test_seconds_of_cpu(tmp_path, marker, below, file, text):
    (tmp_path / below).mkdir(exist_ok=True)
    (tmp_path / marker).touch()
    meter = Meter(tmp_path)
    assert meter.group.parent == tmp_path / below
    meter.group.mkdir()
    (meter.group / file).write_text(text, encoding="utf-8")
    assert meter.used() == 2.5
