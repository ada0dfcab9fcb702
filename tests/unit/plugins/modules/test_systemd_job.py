# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that starts a job, and what a call finds when the job is there already."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import jobs, progress
from ansible_collections.gh200.inference.plugins.modules import systemd_job

PARAMS = {
    "name": "wheel",
    "jobs": None,
    "meanwhile": [],
    "label": None,
    "argv": ["/bin/true"],
    "script": None,
    "environment": {},
    "secret_environment": {},
    "files": {},
    "user": "root",
    "chdir": "/",
    "check_argv": None,
    "creates": None,
    "state": "finished",
    "timeout": 60,
    "nice": 0,
    "memory_max": None,
    "bind_memory": True,
    "poll": 0,
    "watch": {},
}
GONE = {
    "LoadState": "not-found",
    "ActiveState": "inactive",
    "SubState": "dead",
    "InvocationID": "",
    "Result": "success",
}
UNIT = GONE | {"LoadState": "loaded", "InvocationID": "i1", "ExecMainStatus": "0"}
RUNNING = UNIT | {"ActiveState": "active", "SubState": "running"}
ENDED = UNIT | {"ActiveState": "active", "SubState": "exited"}
FAILED = UNIT | {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code", "ExecMainStatus": "7"}


class Answer(Exception):
    """What a call ends with."""

    def __init__(self, **result):
        super().__init__(result.get("msg"))
        self.result = result


class Node:
    """A module on a node whose systemd says what `units` holds, by name of the job."""

    def __init__(self, units, **params):
        self.units, self.params, self.check_mode, self.ran = units, PARAMS | params, False, []

    def run_command(self, argv, **options):
        self.ran.append(argv)
        if argv[:2] == ["systemctl", "show"]:
            state = self.units.get(argv[2].removeprefix("gh200-job-").removesuffix(".service"), GONE)
            return 0, "".join(f"{name}={value}\n" for name, value in state.items()), ""
        if argv[0] == "systemd-run":
            self.units[self.params["name"]] = RUNNING
        return (0 if argv[0] != "/bin/false" else 1), "", ""

    def exit_json(self, **result):
        raise Answer(failed=False, **result)

    def fail_json(self, **result):
        raise Answer(failed=True, **result)

    def call(self):
        """The result of one call."""
        with pytest.raises(Answer) as answer:
            systemd_job.Call(self).execute()
        return answer.value.result


@pytest.fixture(name="folders", autouse=True)
def folders_of_the_node(tmp_path, monkeypatch):
    """The node's folders, in the test's own."""
    monkeypatch.setattr(jobs, "RUN", str(tmp_path / "run"))
    monkeypatch.setattr(jobs, "LOGS", str(tmp_path / "log"))
    monkeypatch.setattr(jobs.numa, "binding", lambda: None)
    return tmp_path


@pytest.fixture(name="command")
def command_of_a_job(monkeypatch):
    """command(bound, **params): what systemd-run is called with, on a machine with that binding."""

    def command(bound, **params):
        monkeypatch.setattr(jobs.numa, "binding", lambda: bound)
        node = Node({}, **params)
        systemd_job.Call(node).start(jobs.Job("wheel", node.run_command))
        return node.ran[-1]

    return command


def begin(**params):
    """A node on which a job was begun with these parameters."""
    node = Node({}, **params)
    assert node.call()["started"]
    return node


def test_a_job_is_bound_to_the_nodes_with_cpus(command):
    started = command([0, 1])
    assert started[0] == "systemd-run" and started[-2:] == ["--", "/bin/true"]
    assert started[-4:-2] == ["--property=NUMAPolicy=bind", "--property=NUMAMask=0,1"]


@pytest.mark.parametrize(("bound", "params"), [(None, {}), ([0], {"bind_memory": False})])
def test_a_job_is_not_bound_where_nothing_is_to_be_kept_free(command, bound, params):
    assert not [word for word in command(bound, **params) if "NUMA" in word]


def test_programs_are_written_before_the_job_starts(command, tmp_path):
    path = tmp_path / "lib/program.py"
    command(None, files={str(path): "print(1)"})
    assert (path.read_text(encoding="utf-8"), path.stat().st_mode & 0o777) == ("print(1)\n", 0o644)


def test_each_run_of_a_job_gets_an_empty_folder_for_its_progress(folders):
    told = folders / "run/wheel.progress/now.json"
    told.parent.mkdir(parents=True)
    told.write_text('{"what": "of an earlier run"}', encoding="utf-8")
    node = begin()
    assert list(told.parent.iterdir()) == [] and node.call()["progress"] == {}
    told.write_text('{"what": "Compiling", "step": 3, "steps": 7}', encoding="utf-8")
    assert node.call()["progress"] == {"what": "Compiling", "step": 3, "steps": 7}


def test_a_script_tells_its_steps(folders):
    begin(argv=None, script='step 2 3 "Saying \\"a\\\\b\\""\necho end\n')
    told = folders / "run/wheel.progress/now.json"
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", folders / "run/wheel.sh"],
        env={progress.VARIABLE: str(told), "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert ran.stdout == 'Step 2 of 3: Saying "a\\b"\nend\n'
    assert progress.read(str(told)) == {"what": 'Saying "a\\b"', "step": 2, "steps": 3}


def test_an_unknown_user_is_named():
    with pytest.raises(ValueError, match="this node has no user 'nobody-here'"):
        begin(user="nobody-here")


@pytest.mark.parametrize("key", ["argv", "environment", "files", "chdir", "creates"])
def test_a_job_with_other_parameters_is_not_joined(key):
    node = begin()
    node.params[key] = {"argv": ["/bin/false"], "chdir": "/tmp", "creates": "/none"}.get(key, {"a": "b"})
    result = node.call()
    assert result["failed"] and f"with other parameters ({key})" in result["msg"]


@pytest.mark.parametrize(("before", "now"), [({"HF_TOKEN": "hf_1"}, {}), ({}, {"HF_TOKEN": "hf_1"})])
def test_a_shell_without_the_token_joins_a_job_that_has_it_and_the_other_way_round(before, now):
    node = begin(secret_environment=before)
    node.params["secret_environment"] = now
    assert not node.call()["failed"]


def test_another_token_is_another_job_and_is_not_written_anywhere(folders):
    node = begin(secret_environment={"HF_TOKEN": "hf_1"})
    node.params["secret_environment"] = {"HF_TOKEN": "hf_2"}
    result = node.call()
    assert result["failed"] and "(HF_TOKEN)" in result["msg"]
    texts = [path.read_text(encoding="utf-8") for path in folders.rglob("*") if path.is_file()]
    assert not [text for text in texts if "hf_" in text] and not [
        word for argv in node.ran for word in argv if "hf_" in word
    ]
    assert (folders / "run/wheel.job").stat().st_mode & 0o777 == 0o600


def test_jobs_of_one_kind_have_the_same_parameters_on_such_a_machine(monkeypatch):
    kind = jobs.told(PARAMS)["kind"]
    assert kind == jobs.told(PARAMS | {"secret_environment": {"A": "1"}})["kind"]
    assert kind != jobs.told(PARAMS | {"files": {"/a": "2"}})["kind"]
    assert kind != jobs.told(PARAMS | {"label": "Load v3"})["kind"]
    monkeypatch.setattr(jobs.os, "cpu_count", lambda: 1000)
    assert kind != jobs.told(PARAMS)["kind"]


def test_several_jobs_are_waited_for_until_the_last():
    node = Node({"a": RUNNING, "b": ENDED}, name=None, jobs=["a", "b"])
    result = node.call()
    assert not result["finished"] and [job["finished"] for job in result["jobs"].values()] == [True, False]
    assert ["systemctl", "stop", "gh200-job-b.service"] in node.ran
    node.units |= {"a": ENDED, "b": GONE}
    node.params["watch"] = {"a": "i1"}
    assert node.call()["finished"]


def test_of_several_jobs_the_first_failure_is_told():
    result = Node({"a": RUNNING, "b": FAILED}, name=None, jobs=["a", "b"]).call()
    assert result["failed"] and result["failed_job"] == "b" and "status 7" in result["msg"]


def test_a_job_that_was_never_begun_is_not_waited_for():
    result = Node({}, name=None, jobs=["a"]).call()
    assert result["failed"] and "There is no job a to wait for" in result["msg"]


@pytest.mark.parametrize(("check", "failed"), [(["/bin/true"], False), (["/bin/false"], True)])
def test_a_job_that_has_gone_is_known_by_its_work(check, failed):
    jobs.Job("a", None).note(jobs.told(PARAMS | {"name": "a", "check_argv": check}))
    assert Node({}, name=None, jobs=["a"]).call()["failed"] is failed


def test_what_was_done_before_it_was_begun_can_be_waited_for():
    assert Node({}, name="a", check_argv=["/bin/true"]).call()["finished"]
    assert Node({}, name=None, jobs=["a"]).call()["finished"]


def test_a_failure_in_the_background_ends_the_waiting():
    node = Node({"wheel": RUNNING, "model": FAILED}, meanwhile=["model"], watch={"wheel": "i1"})
    result = node.call()
    assert result["failed"] and "The job model failed" in result["msg"]
    assert ["systemctl", "stop", "gh200-job-wheel.service"] not in node.ran


def test_what_runs_in_the_background_is_told_and_not_waited_for():
    result = Node({"model": RUNNING}, name=None, jobs=[], meanwhile=["model", "other"]).call()
    assert result["finished"] and list(result["jobs"]) == ["model"] and not result["jobs"]["model"]["finished"]
