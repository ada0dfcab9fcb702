# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers of nodes: what another lab runs is left alone, what a dead one left is cleared away."""

from __future__ import annotations

from lab.config import Paths
from lab.nodes import cgroups, driver, network


def test_a_number_that_another_lab_uses_is_passed_over_and_leftovers_are_cleared(tmp_path, monkeypatch):
    cleared = []
    monkeypatch.setattr(cgroups, "processes", lambda name: {4711} if name == "node-1" else set())
    monkeypatch.setattr(network, "disconnect", lambda *device: cleared.append(device))
    nodes = driver.NodeDriver(Paths(tmp_path))
    first, second = (nodes._reserve(driver.NodeSpec(name, name)) for name in ("a", "b"))
    assert (first.number, second.number) == (2, 3)
    assert cleared == [("gh200-2", 2), ("gh200-3", 3)]
