# SPDX-License-Identifier: GPL-3.0-or-later
"""Following a job: until its end, through lost connections, and no longer than it may take."""

from __future__ import annotations

import copy
import json
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.gh200.inference.plugins.action import systemd_job
from ansible_collections.gh200.inference.plugins.plugin_utils.jobs import board

JOB = {
    "label": "wheel",
    "finished": False,
    "seconds": 75,
    "progress": {"what": "half"},
    "invocation": "i1",
    "kind": "k1",
    "log": "/log",
}
RUNNING = {"changed": False, "finished": False, "started": False, "jobs": {"wheel": JOB}}
STARTED = RUNNING | {"changed": True, "started": True, "jobs": {"wheel": JOB | {"seconds": 5}}}
FINISHED = RUNNING | {"finished": True, "jobs": {"wheel": JOB | {"finished": True, "seconds": 100}}}
DONE = RUNNING | {"finished": True, "jobs": {}}
BROKEN = {"failed": True, "msg": "The job wheel broke.", "failed_job": "wheel"}
WATCH = {"wheel": "i1"}
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
def follow_a_job(monkeypatch, tmp_path):
    """follow(*answers, check=False, call_seconds=8, host="r1-00", fatal=True, **args): the task's result; the last
    answer is given for ever.

    `follow.calls`, `.said` and `.resets` tell the rest, `.board(host, about)` is another host's.
    """
    clock = Time()
    for module in (systemd_job, board):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(systemd_job.C, "DEFAULT_LOCAL_TMP", str(tmp_path / "tmp"))
    monkeypatch.setenv("GH200_STATE_DIR", str(tmp_path / "state"))

    def follow(*answers, check=False, call_seconds=8, host="r1-00", fatal=True, **args):
        follow.calls, follow.said, follow.resets = [], [], []
        monkeypatch.setattr(systemd_job.display, "display", follow.said.append)
        monkeypatch.setattr(systemd_job.display, "warning", follow.said.append)
        loader, task = DataLoader(), Task()
        task.args = {"name": "wheel"} | args if "jobs" not in args else args
        task._uuid, task.check_mode, task.any_errors_fatal = "task-1", check, fatal
        task.action, task.async_val = "gh200.inference.systemd_job", 0
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), reset=lambda: follow.resets.append(clock.now))
        plugin = systemd_job.ActionModule(task, connection, PlayContext(), loader, Templar(loader), None)

        def execute(module_name, module_args, task_vars):
            assert module_name == "gh200.inference.systemd_job" and "runs_on" not in module_args
            follow.calls.append(dict(module_args))
            clock.now += call_seconds
            answer = answers[min(len(follow.calls), len(answers)) - 1]
            answer = answer() if callable(answer) else answer
            if isinstance(answer, Exception):
                raise answer
            return copy.deepcopy(answer)

        plugin._execute_module = execute
        return plugin.run(task_vars={"inventory_hostname": host})

    follow.clock = clock
    follow.board = lambda host, about="wheel": board.Board(str(tmp_path / "tmp"), "task-1", host, about)
    return follow


def test_a_job_is_followed_to_its_end(follow):
    result = follow(STARTED, RUNNING, RUNNING, FINISHED)
    assert result["finished"] and result["changed"] and result["started"]
    assert [call.get("watch") for call in follow.calls] == [None, WATCH, WATCH, WATCH]


def test_what_is_done_already_is_asked_for_once(follow):
    result = follow(DONE)
    assert not result["changed"] and len(follow.calls) == 1 and follow.said == []


def test_progress_is_shown_but_not_with_each_call(follow):
    follow(STARTED, RUNNING, RUNNING, RUNNING, FINISHED, label="vLLM's wheel", call_seconds=6)
    assert follow.said == [
        "[r1-00] vLLM's wheel: half (5s), no earlier run tells how long it takes",
        "[r1-00] vLLM's wheel: half (1m15s)",
    ]


def test_state_started_does_not_wait(follow):
    assert follow(STARTED, state="started")["started"] and len(follow.calls) == 1


def test_check_mode_does_not_wait(follow):
    assert follow(STARTED, check=True)["changed"] and len(follow.calls) == 1


def test_a_failure_is_handed_on(follow):
    result = follow(STARTED, BROKEN)
    assert result["failed"] and result["msg"] == "The job wheel broke." and result["changed"]


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


def test_an_earlier_run_tells_how_long_it_takes(follow):
    follow(STARTED, FINISHED)
    another = copy.deepcopy(RUNNING)
    another["jobs"]["wheel"] |= {"seconds": 40, "invocation": "i2"}
    follow(another, FINISHED)
    assert follow.said == ["[r1-00] wheel: half (40s), about 1 min left of 2"]


def test_a_run_that_failed_tells_nothing_of_the_time(follow):
    follow(STARTED, BROKEN)
    follow(RUNNING, BROKEN)
    assert follow.said == ["[r1-00] wheel: half (1m15s)"]


def test_what_was_told_is_there_as_json(follow, tmp_path, monkeypatch):
    monkeypatch.setenv("GH200_PROGRESS_LOG", str(tmp_path / "log/progress.jsonl"))
    follow(STARTED, RUNNING, FINISHED, label="The wheel")
    lines = [json.loads(line) for line in (tmp_path / "log/progress.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["format"], line["job"], line["label"], line["state"]) for line in lines] == [
        (1, "wheel", "The wheel", "running"),
        (1, "wheel", "The wheel", "finished"),
    ]
    assert lines[0]["hosts"] == {"r1-00": {"state": "running", "seconds": 5, "what": "half"}}
    assert lines[1]["hosts"] == {"r1-00": {"state": "finished", "seconds": 100, "what": "half"}}


def test_a_state_folder_that_cannot_be_used_is_told_once_and_stops_nothing(follow, tmp_path):
    (tmp_path / "state").write_text("no folder", encoding="utf-8")
    assert follow(STARTED, RUNNING, FINISHED)["finished"]
    assert len([line for line in follow.said if "are not kept; the jobs go on" in line]) == 1


def test_a_failure_elsewhere_ends_the_waiting(follow):
    def fail_elsewhere():
        follow.board("r1-02").put(board.FAILED, sentence="The disk is full.")
        return RUNNING

    result = follow(STARTED, RUNNING, fail_elsewhere)
    assert result["failed"] and result["changed"] and result["failed_host"] == "r1-02" and len(follow.calls) == 3
    assert result["msg"] == (
        "r1-00 does not wait for wheel any more, since r1-02 has failed (The disk is full.); "
        "what runs on r1-00 goes on, and is joined when this is run again."
    )


def test_a_failure_elsewhere_is_no_matter_where_the_play_goes_on(follow):
    follow.board("r1-02").put(board.FAILED, sentence="The disk is full.")
    assert follow(STARTED, RUNNING, FINISHED, fatal=False)["finished"]


def test_after_a_failure_the_next_item_is_not_begun(follow):
    follow(STARTED, BROKEN)
    result = follow(STARTED, name="other")
    assert result["failed"] and result["failed_host"] == "r1-00" and follow.calls == []


def test_the_same_job_can_be_tried_again(follow):
    follow(STARTED, BROKEN)
    assert follow(STARTED, FINISHED)["finished"]


@pytest.mark.parametrize("answers", [(STARTED, LOST), (LOST,)])
def test_a_node_that_is_given_up_ends_the_waiting_of_the_others(follow, answers):
    with pytest.raises(AnsibleConnectionFailure):
        follow(*answers)
    assert "r1-00 cannot be reached (no route)" in follow(STARTED, host="r1-01")["msg"]


def test_what_was_begun_before_is_watched_meanwhile(follow):
    follow(STARTED, name="model", state="started")
    follow(DONE, name="there-already", state="started")
    follow(STARTED, RUNNING, FINISHED)
    assert [call["meanwhile"] for call in follow.calls] == [["model"]] * 3


def test_several_jobs_are_waited_for(follow):
    both = {name: JOB | {"invocation": name} for name in ("a", "b")}
    one = {"a": both["a"] | {"finished": True}, "b": both["b"]}
    result = follow(RUNNING | {"jobs": both}, RUNNING | {"jobs": one}, FINISHED, jobs=["a", "b"])
    assert list(result["jobs"]) == ["a", "b", "wheel"]
    assert result["finished"] and [call.get("watch") for call in follow.calls] == [
        None,
        {"a": "a", "b": "b"},
        {"b": "b"},
    ]


def test_another_host_than_that_of_the_job_does_nothing_where_nothing_was_begun(follow):
    assert follow(host="r1-01", runs_on="r1-00") == {"changed": False, "finished": True}
    assert follow(host="r1-01", runs_on="r1-00", check=True) == {"changed": False, "finished": True}
    assert follow.calls == []


def test_another_host_watches_until_that_of_the_job_has_ended(follow):
    follow(STARTED, host="r1-01", state="started")
    follow.board("r1-00").put(board.RUNNING)

    def end():
        follow.board("r1-00").put(board.FINISHED)
        return RUNNING

    result = follow(RUNNING, RUNNING, end, host="r1-01", runs_on="r1-00")
    assert result["finished"] and not result["changed"]
    assert [(call["jobs"], call["meanwhile"]) for call in follow.calls] == [([], ["wheel"])] * 3


def test_another_host_watches_each_item_of_a_loop(follow):
    follow(STARTED, host="r1-01", name="model", state="started")
    follow.board("r1-00", "first").put(board.FINISHED)

    def end():
        follow.board("r1-00", "second").put(board.FINISHED)
        return RUNNING

    assert follow(RUNNING, host="r1-01", runs_on="r1-00", name="first")["finished"] and not follow.calls
    assert follow(RUNNING, RUNNING, end, host="r1-01", runs_on="r1-00", name="second")["finished"]
    assert len(follow.calls) == 3


def test_another_host_fails_as_soon_as_what_it_watches_has_failed(follow):
    follow(STARTED, host="r1-01", state="started")
    follow.board("r1-00").put(board.RUNNING)
    assert follow(RUNNING, BROKEN, host="r1-01", runs_on="r1-00")["failed"]
    builder = follow(STARTED, host="r1-00", runs_on="r1-00")
    assert builder["failed_host"] == "r1-01" and "The job wheel broke." in builder["msg"]


def test_another_host_does_not_watch_for_ever_for_one_that_does_not_come(follow):
    follow(STARTED, host="r1-01", state="started")
    begun = follow.clock.now
    assert follow(RUNNING, host="r1-01", runs_on="r1-00")["finished"]
    assert systemd_job.NOT_SEEN_FOR < follow.clock.now - begun < 2 * systemd_job.NOT_SEEN_FOR
