# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node says of itself, from files as the kernel has them."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

MEMINFO = "MemTotal:       1000 kB\nMemFree:  10 kB\nMemAvailable:    600 kB\n"
KIB = 1024


@pytest.fixture(name="report")
def program(load):
    """The program."""
    return load("ray_cluster/node_report.py")


@pytest.fixture(name="files")
def made_up(report, monkeypatch):
    """files[path] = text, instead of what is there."""
    files = {"/proc/meminfo": MEMINFO, "/proc/vmstat": "pgfault 3\noom_kill 2\n"}
    monkeypatch.setattr(report, "read", lambda path: files.get(path, ""))
    monkeypatch.setattr(report.os.path, "exists", lambda path: path in files)
    return files


def test_memory_is_the_machines_where_no_group_has_a_limit(report, files):
    files["/proc/self/cgroup"] = "0::/system.slice/ray.service\n"
    files["/sys/fs/cgroup/system.slice/ray.service/memory.stat"] = "inactive_file 1\n"
    files["/sys/fs/cgroup/system.slice/ray.service/memory.max"] = "max\n"
    assert report.memory() == {"total": 1000 * KIB, "free": 600 * KIB, "kills": 0}
    del files["/sys/fs/cgroup/system.slice/ray.service/memory.stat"]
    assert report.memory()["kills"] == 2


def test_memory_is_the_groups_where_it_has_a_limit_and_cache_can_be_had(report, files):
    group = "/sys/fs/cgroup/system.slice/ray.service"
    files["/proc/self/cgroup"] = "0::/system.slice/ray.service\n"
    files[f"{group}/memory.stat"] = f"anon 5\ninactive_file {50 * KIB}\n"
    files[f"{group}/memory.max"] = f"{400 * KIB}\n"
    files[f"{group}/memory.current"] = f"{390 * KIB}\n"
    files[f"{group}/memory.events"] = "low 0\noom 4\noom_kill 3\n"
    assert report.memory() == {"total": 400 * KIB, "free": 60 * KIB, "kills": 3}


def test_the_older_hierarchy_is_read_too_and_its_groups_above(report, files):
    files["/proc/self/cgroup"] = "4:memory:/a/b\n1:cpu:/else\n0::/a/b\n"
    files["/sys/fs/cgroup/memory/a/memory.stat"] = f"total_inactive_file {10 * KIB}\n"
    files["/sys/fs/cgroup/memory/a/memory.limit_in_bytes"] = f"{300 * KIB}\n"
    files["/sys/fs/cgroup/memory/a/memory.usage_in_bytes"] = f"{300 * KIB}\n"
    files["/sys/fs/cgroup/memory/a/memory.oom_control"] = "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"
    files["/sys/fs/cgroup/memory/memory.stat"] = "cache 0\n"
    files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
    assert report.memory() == {"total": 300 * KIB, "free": 10 * KIB, "kills": 1}


def test_a_rank_is_told_with_its_state_and_other_processes_are_not(report):
    title = "ray::RayWorkerWrapper.execute_method"
    program = "import time, os; open('/proc/self/comm','w').write('x'); print(1, flush=True); time.sleep(600)"
    rank = subprocess.Popen([title, "-c", program], executable=sys.executable, stdout=subprocess.PIPE, text=True)
    other = subprocess.Popen(["ray::IDLE", "-c", program], executable=sys.executable, stdout=subprocess.PIPE, text=True)
    try:
        assert rank.stdout.readline() == other.stdout.readline() == "1\n"
        assert state(report, rank) in "SR"
        assert state(report, other) is None
        os.kill(rank.pid, 19)
        until(lambda: state(report, rank) == "T")
        os.kill(rank.pid, 9)
        until(lambda: state(report, rank) is None)
    finally:
        for process in (rank, other):
            process.kill()
            process.wait()


def state(report, process):
    """The state of one of the ranks that are told."""
    return next((rank["state"] for rank in report.ranks() if rank["pid"] == process.pid), None)


def until(holds):
    """A moment is enough for the kernel."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_gpus_are_told_in_bytes_and_an_answer_that_does_not_come_is_none(report, monkeypatch, tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '1024, 97871'\n")
    tool.chmod(0o755)
    monkeypatch.setattr(report, "GPU_QUERY", (str(tool),))
    told = report.Report("r1-00")
    until(lambda: told.now()["gpus"] is not None)
    assert told.now()["gpus"] == [{"used": 1 << 30, "total": 97871 << 20}]
    told.gpus_at -= 61
    assert told.now()["gpus"] is None
