# SPDX-License-Identifier: GPL-3.0-or-later
"""The critical path of made-up runs, whose chain is known."""

from __future__ import annotations

import pytest

from tests.bench import path


def task(name, host, begin, end, role="", play=1):
    """A host-task as the callback writes it; its id is its name."""
    action = "gh200.inference.lambda_fleet" if role == "launch" else "ansible.builtin.command"
    where = "" if role == "launch" else f"gh200.inference.{role}" if role else ""
    return {"id": name, "play": play, "host": host, "role": where, "task": name, "action": action, "how": "run"} | {
        "changed": True,
        "begin": float(begin),
        "end": float(end),
    }


def job(task_id, host, ended, seconds):
    """What is told of a job at its end."""
    return {"task": task_id, "time": float(ended), "hosts": {host: {"state": "finished", "seconds": float(seconds)}}}


def test_roles_follow_each_other_on_their_slowest_node():
    record = [
        task("boot", "localhost", 0, 4, "launch"),
        task("apt", "a", 4, 7, "python311"),
        task("apt", "b", 4, 9, "python311"),
        task("ray", "a", 9, 12, "ray_cluster"),
        task("serve", "a", 12, 22, "vllm_serve"),
    ]
    found = path.chain(record, [])
    assert [(step.name, step.host, step.seconds) for step in found.steps] == [
        ("lambda_fleet", "localhost", 4),
        ("python311", "b", 5),
        ("ray_cluster", "a", 3),
        ("vllm_serve", "a", 10),
    ]
    assert found.seconds == 22


def test_long_tasks_of_one_role_add_up_on_a_node_and_not_over_nodes():
    record = [
        task("one", "a", 0, 4, "python311"),
        task("one", "b", 0, 2, "python311"),
        task("two", "a", 4, 6, "python311"),
        task("two", "b", 4, 9, "python311"),
    ]
    found = path.chain(record, [])
    # One after the other with a barrier it is 9 seconds, and 7 where each node goes its own way.
    assert [(step.host, step.seconds) for step in found.steps] == [("b", 7)]
    assert {rest.name: rest.off_path for rest in found.tasks} == {"python311 : one": 2, "python311 : two": 0}


def test_what_is_short_or_no_role_of_the_path_is_the_rest():
    record = [
        task("short", "a", 0, 0.9, "python311"),
        task("long", "a", 2, 4, "python311"),
        task("Compare variables", "a", 4, 7),
    ]
    found = path.chain(record, [])
    assert found.seconds == 2
    assert [(rest.name, rest.off_path) for rest in found.tasks][:2] == [
        ("Compare variables", 3.0),
        ("python311 : short", 0.9),
    ]
    assert found.idle == pytest.approx(1.1)


@pytest.mark.parametrize(("download", "names"), [(30, ["hf_models"]), (6, ["venv", "vllm_build"])])
def test_downloads_go_on_beside_the_build(download, names):
    record = [
        task("make", "a", 0, 2, "venv"),
        task("build", "a", 2, 12, "vllm_build"),
        task("wait", "a", 12, max(13, download), "hf_models"),
    ]
    found = path.chain(record, [job("wait", "a", download, download)])
    assert [step.name for step in found.steps] == names


def test_a_job_counts_by_its_own_seconds_not_by_those_of_the_task_that_waits():
    record = [task("build", "a", 0, 12, "vllm_build")]
    found = path.chain(record, [job("build", "a", 5, 5), job("build", "a", 10, 10)])
    assert found.seconds == 10
    assert found.tasks[0].off_path == 2


def test_after_a_second_launch_the_chain_begins_anew():
    record = [
        task("head", "localhost", 0, 3, "launch"),
        task("apt", "a", 3, 8, "python311"),
        task("build", "a", 8, 20, "vllm_build"),
        task("others", "localhost", 20, 24, "launch"),
        task("apt again", "b", 24, 28, "python311"),
        task("wait", "a", 28, 29, "hf_models"),
        task("wait", "b", 28, 34, "hf_models"),
        task("serve", "a", 34, 40, "vllm_serve"),
    ]
    # The head's download began after its own Python was there, and is over since long.
    found = path.chain(record, [job("wait", "a", 18, 10), job("wait", "b", 34, 6)])
    assert [(step.launch, step.name, step.host) for step in found.steps] == [
        (1, "lambda_fleet", "localhost"),
        (1, "python311", "a"),
        (1, "vllm_build", "a"),
        (2, "lambda_fleet", "localhost"),
        (2, "python311", "b"),
        (2, "hf_models", "b"),
        (2, "vllm_serve", "a"),
    ]
    assert found.seconds == 40


def test_a_run_in_which_nothing_is_long_has_no_path():
    found = path.chain([task("look", "a", 0, 0.2, "python311")], [])
    assert found.steps == [] and found.seconds == 0
