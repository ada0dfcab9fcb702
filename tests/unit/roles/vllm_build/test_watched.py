# SPDX-License-Identifier: GPL-3.0-or-later
"""Every long job of the builder is one that the other hosts watch: they come to it, and know whose it is."""

from __future__ import annotations

from pathlib import Path

import yaml

TASKS = Path(__file__).resolve().parents[4] / "roles/vllm_build/tasks"
JOB = "gh200.inference.systemd_job"
INCLUDES = ("ansible.builtin.include_tasks", "ansible.builtin.import_tasks")
OWN = "inventory_hostname == vllm_build_builder"


def reached(name, conditions=()):
    """(task, conditions on its way) of a file of tasks and of those that it takes in."""
    for task in yaml.safe_load((TASKS / name).read_text(encoding="utf-8")):
        when = [*conditions, str(task.get("when", ""))]
        yield task, when
        for file in filter(None, map(task.get, INCLUDES)):
            yield from reached(file, when)


def test_the_builders_jobs_are_watched_by_all():
    jobs = [(task, when) for task, when in reached("bring.yml") if JOB in task]
    assert {task[JOB]["name"] for task, dummy in jobs} == {"{{ item.0.name }}-wheel", "vllm-install", "vllm-check"}
    for task, when in jobs:
        assert not any(OWN in condition for condition in when), f"only the builder comes to: {task['name']}"
        builders = task[JOB]["name"] != "vllm-check"
        assert task[JOB].get("runs_on") == ("{{ vllm_build_builder }}" if builders else None)


def test_the_rest_of_the_building_is_the_builders_alone():
    own = {"begin.yml", "kept.yml"}
    for task, when in reached("bring.yml"):
        if own & set(filter(None, map(task.get, INCLUDES))):
            assert any(OWN in condition for condition in when)
