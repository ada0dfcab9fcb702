# SPDX-License-Identifier: GPL-3.0-or-later
"""Following a job: until its end, through lost connections, and no longer than it may take."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.gh200.inference.plugins.action import systemd_job

RUNNING = {
    "changed": False,
    "finished": False,
    "started": False,
    "invocation": "i1",
    "progress": "half",
    "seconds": 75,
    "log": "/log",
}
STARTED = RUNNING | {"changed": True, "started": True, "seconds": 5}
FINISHED = RUNNING | {"finished": True}
LOST = AnsibleConnectionFailure("no route")


class Time:
    """A sleep moves it, and so does each call on the node."""

    def __init__(self):
        self.now = 1000.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture(name="follow")
def follow_a_job(monkeypatch):
    """follow(*answers, check=False, call_seconds=8, **args): the task's result; the last answer is given for ever.

    `follow.calls`, `.said` and `.resets` tell the rest.
    """
    clock = Time()
    monkeypatch.setattr(systemd_job, "time", clock)

    def follow(*answers, check=False, call_seconds=8, **args):
        follow.calls, follow.said, follow.resets = [], [], []
        monkeypatch.setattr(systemd_job.display, "display", follow.said.append)
        monkeypatch.setattr(systemd_job.display, "warning", follow.said.append)
        loader, task = DataLoader(), Task()
        task.args, task.check_mode, task.action, task.async_val = (
            {"name": "wheel"} | args,
            check,
            "gh200.inference.systemd_job",
            0,
        )
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), reset=lambda: follow.resets.append(clock.now))
        plugin = systemd_job.ActionModule(task, connection, PlayContext(), loader, Templar(loader), None)

        def execute(module_name, module_args, task_vars):
            assert module_name == "gh200.inference.systemd_job"
            follow.calls.append(dict(module_args))
            clock.now += call_seconds
            answer = answers[min(len(follow.calls), len(answers)) - 1]
            if isinstance(answer, Exception):
                raise answer
            return dict(answer)

        plugin._execute_module = execute
        return plugin.run(task_vars={"inventory_hostname": "r1-00"})

    return follow


def test_a_job_is_followed_to_its_end(follow):
    result = follow(STARTED, RUNNING, RUNNING, FINISHED)
    assert result["finished"] and result["changed"] and result["started"]
    assert [call.get("watch") for call in follow.calls] == [None, "i1", "i1", "i1"]


def test_what_is_done_already_is_asked_for_once(follow):
    result = follow(FINISHED)
    assert not result["changed"] and len(follow.calls) == 1 and follow.said == []


def test_progress_is_shown_but_not_with_each_call(follow):
    follow(STARTED, RUNNING, RUNNING, RUNNING, FINISHED, label="vLLM's wheel", call_seconds=6)
    assert follow.said == ["[r1-00] vLLM's wheel: half (5s)", "[r1-00] vLLM's wheel: half (1m15s)"]


def test_state_started_does_not_wait(follow):
    assert follow(STARTED, state="started")["started"] and len(follow.calls) == 1


def test_check_mode_does_not_wait(follow):
    assert follow(STARTED, check=True)["changed"] and len(follow.calls) == 1


def test_a_failure_is_handed_on(follow):
    result = follow(STARTED, {"failed": True, "msg": "It broke."})
    assert result["failed"] and result["msg"] == "It broke." and result["changed"]


def test_a_lost_connection_is_borne(follow):
    result = follow(STARTED, LOST, LOST, FINISHED)
    assert result["finished"] and len(follow.resets) == 2
    assert "cannot be reached" in follow.said[1] and "no route" in follow.said[1]


def test_a_node_that_stays_away_is_given_up(follow):
    with pytest.raises(AnsibleConnectionFailure, match="no route"):
        follow(STARTED, LOST)
    assert follow.resets[-1] - follow.resets[0] + 26 >= systemd_job.UNREACHABLE_FOR


def test_a_node_that_is_never_reached_fails_at_once(follow):
    with pytest.raises(AnsibleConnectionFailure):
        follow(LOST)
    assert len(follow.calls) == 1


def test_a_job_that_outlives_its_timeout_is_told_with_its_log(follow):
    result = follow(STARTED, RUNNING, timeout=60)
    assert (
        result["failed"]
        and result["changed"]
        and "still running after its timeout" in result["msg"]
        and "/log" in result["msg"]
    )
    assert len(follow.calls) == 24  # the first, and 23 of 8 seconds in 60 + 120


@pytest.mark.parametrize(("seconds", "text"), [(0, "0s"), (59, "59s"), (60, "1m00s"), (3725, "62m05s")])
def test_times_are_short(seconds, text):
    assert systemd_job._clock(seconds) == text
