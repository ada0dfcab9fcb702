# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs fit into the memory of the NUMA nodes that have CPUs."""

from __future__ import annotations

import pytest

GIB = 1048576


@pytest.fixture(name="jobs")
def program(load):
    return load("vllm_build/jobs.py")


@pytest.fixture(name="machine")
def made_up_root(tmp_path):
    """machine(available, nodes): GiB available in all, and (cpulist, free, file pages) of each NUMA node."""

    def machine(available, *nodes):
        (tmp_path / "proc").mkdir()
        (tmp_path / "proc/meminfo").write_text(
            f"MemTotal: 1 kB\nMemAvailable:  {available * GIB} kB\nHugePages_Total:   0\n", encoding="ascii"
        )
        for number, (cpus, free, pages) in enumerate(nodes):
            folder = tmp_path / f"sys/devices/system/node/node{number}"
            folder.mkdir(parents=True)
            (folder / "cpulist").write_text(f"{cpus}\n", encoding="ascii")
            (folder / "meminfo").write_text(
                f"Node {number} MemFree:  {free * GIB} kB\nNode {number} Active(file): "
                f"{pages * GIB} kB\nNode {number} Inactive(file): 0 kB\n",
                encoding="ascii",
            )
        return str(tmp_path)

    return machine


def test_the_memory_of_a_gpu_does_not_count(jobs, machine):
    assert jobs.jobs(64, 8, machine(500, ("0-63", 380, 20), ("", 94, 0))) == 50


def test_what_is_available_in_all_is_the_limit(jobs, machine):
    assert jobs.jobs(64, 8, machine(80, ("0-63", 380, 20), ("", 94, 0))) == 10


def test_where_every_node_has_cpus_all_counts(jobs, machine):
    assert jobs.jobs(64, 8, machine(400, ("0-31", 1, 0), ("32-63", 1, 0))) == 50


def test_without_numa(jobs, machine):
    assert jobs.jobs(64, 8, machine(17)) == 2


def test_no_more_than_cpus_and_no_less_than_one(jobs, machine):
    root = machine(100)
    assert (jobs.jobs(4, 8, root), jobs.jobs(4, 500, root)) == (4, 1)


def test_a_part_of_the_memory_may_be_too_little(jobs, machine):
    root = machine(431)
    assert (jobs.jobs(64, 3, root, part=0.125), jobs.jobs(64, 8, root, part=0.875)) == (17, 47)
    assert 3 * 17 + 8 * 47 <= 431
    assert jobs.jobs(64, 60, root, part=0.125) == 0
