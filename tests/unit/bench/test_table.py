# SPDX-License-Identifier: GPL-3.0-or-later
"""The table's rows, from figures whose ratios are known."""

from __future__ import annotations

from tests.bench import checks, record, table, traffic


def cost(wall):
    return {"wall": wall, "cpu": wall / 2}


def run(site, whole):
    tasks = {
        "localhost": {"run": 20, "skipped": 3, "changed": 0},
        "r1-00": {"run": 30, "skipped": 4, "changed": 0},
        "r1-01": {"run": 12, "skipped": 9, "changed": 0},
        "r1-02": {"run": 14, "skipped": 1, "changed": 0},
    }
    walls = {"site": cost(site), "whole_warm": cost(whole), "looks_warm": cost(2.0), "looks_cold": cost(4.0)}
    return walls | {"tasks": tasks}


MACHINE = {"cores": 2, "cpu": "some CPU", "memory_gib": 23, "date": "2026-01-01", "load": 0.1}


def test_every_row_has_its_goal_and_its_ratio():
    moved = traffic.Bytes(1000, 1020, {"r1-00": 500, "r1-01": 500}, {"r1-00": 505, "r1-01": 520})
    result = {
        "machine": MACHINE,
        "nodes": 4,
        "site": {
            "converged": {"head": "r1-00", "runs": [run(20.0, 10.0), run(30.0, 10.0), run(22.0, 10.0)]},
            "first": {"wall": 120.0, "path": 100.0},
            "bytes": moved._asdict() | {"hub_ratio": moved.hub_ratio, "node_ratio": moved.node_ratio},
        },
        "light": {"runs": {"4": [{"cpu": 8.0}], "16": [{"cpu": 40.0}], "64": [{"cpu": 192.0}]}},
    }
    rows = table.markdown(result)
    assert rows[0].startswith("2 cores (some CPU), 23 GiB, 2026-01-01")
    assert "| host-tasks of a worker, converged, 4 nodes | 12 | 14, and 1 skipped |" in rows
    assert "| of the head | 20 | 30, and 4 skipped |" in rows
    assert any("| 2.0 | 2.20 (2.00 to 3.00): 22.0 s over 10.0 s |" in row for row in rows)
    assert "| first site.yml over its critical path, 4 nodes | 1.10 | 1.20 (120 s over 100 s) |" in rows
    assert "| hub bytes over model bytes, 4 nodes | 1.05 | 1.020 |" in rows
    assert "| a node's bytes over its stage's, the worst of 4 | 1.05 | 1.040 |" in rows
    assert rows[-2:] == [
        "| control CPU for each of 16 light nodes, prepare | 1.2 | 2.50 s, 1.25 of that with 4 |",
        "| control CPU for each of 64 light nodes, prepare | 1.2 | 3.00 s, 1.50 of that with 4 |",
    ]


def test_the_unit_stands_beside_the_command_by_hand():
    rounds = [{"unit": 99.0, "hand": 100.0}, {"unit": 101.0, "hand": 100.0}, {"unit": 100.0, "hand": 100.0}]
    assert table.markdown({"machine": MACHINE, "nodes": 2, "units": {"rounds": rounds}})[-1] == (
        "| tokens per second of the unit over the same command by hand, 2 nodes | 0.98 | "
        "1.000 (0.99 to 1.01): 100 over 100 tokens/s |"
    )


def test_one_node_has_no_worker():
    alone = run(20.0, 10.0)
    alone["tasks"] = {"r1-00": alone["tasks"]["r1-00"]}
    moved = {"hub_ratio": 1.0, "node_ratio": 1.0}
    site = {"converged": {"head": "r1-00", "runs": [alone]}, "first": {"wall": 2.0, "path": 1.0}, "bytes": moved}
    assert not [row for row in table.markdown({"machine": MACHINE, "nodes": 1, "site": site}) if "worker" in row]


def test_both_lists_are_a_dozen_and_differ_only_in_what_loads_something():
    assert len(checks.WHOLE) == len(checks.LOOKS) == 12
    typed = checks.typed(checks.WHOLE, "192.0.2.1")
    assert not [text for text in typed if "{head}" in text]
    assert typed[0].startswith("bash -l -c 's=/lambda/nfs/shared;")


def test_host_tasks_are_counted_by_host():
    told = [
        {"host": "a", "how": "run", "changed": True},
        {"host": "a", "how": "skipped", "changed": False},
        {"host": "b", "how": "run", "changed": False},
    ]
    assert record.counted(told) == {
        "a": {"run": 1, "skipped": 1, "changed": 1},
        "b": {"run": 1, "skipped": 0, "changed": 0},
    }
