# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that starts a job."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.modules import systemd_job

PARAMS = {
    "name": "wheel",
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
    "timeout": 60,
    "nice": 0,
    "memory_max": None,
    "bind_memory": True,
}


@pytest.fixture(name="command")
def command_of_a_job(tmp_path, monkeypatch):
    """command(bound, **params): what systemd-run is called with, on a machine with that binding."""
    monkeypatch.setattr(systemd_job, "RUN", str(tmp_path / "run"))
    monkeypatch.setattr(systemd_job, "LOGS", str(tmp_path / "log"))

    def command(bound, **params):
        calls = []
        monkeypatch.setattr(systemd_job.numa, "binding", lambda: bound)

        def run(argv):
            calls.append(argv)
            return 0, "", ""

        systemd_job.Job(SimpleNamespace(params=PARAMS | params, run_command=run)).start()
        return calls[-1]

    return command


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


def test_another_program_is_another_job():
    one, other = (
        systemd_job.Job(SimpleNamespace(params=PARAMS | {"files": {"/a": text}})).stamp for text in ("1", "2")
    )
    assert one != other


def test_another_secret_is_not_another_job():
    one, other = (
        systemd_job.Job(SimpleNamespace(params=PARAMS | {"secret_environment": secret})).stamp
        for secret in ({}, {"HF_TOKEN": "x"})
    )
    assert one == other
