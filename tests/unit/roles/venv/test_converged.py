# SPDX-License-Identifier: GPL-3.0-or-later
"""The role alone on two hosts: what is whole costs one task, and whatever is not as it should be is seen and mended."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.record import counted, lines, recording

REPOSITORY = Path(__file__).resolve().parents[4]
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: gh200.inference.venv, rolespec_validate: false}
    - ansible.builtin.import_role: {name: gh200.inference.venv, tasks_from: activate, rolespec_validate: false}
"""


@pytest.fixture(name="run", scope="module")
def runs_of_the_role(tmp_path_factory):
    """run(*arguments, **variables): status, output, and host to its numbers of tasks that ran and were skipped."""
    folder = tmp_path_factory.mktemp("venv")
    (folder / "play.yml").write_text(PLAY, encoding="utf-8")

    def run(*arguments, **variables):
        given = {
            "venv_path": str(folder / "venvs/one"),
            "venv_python": sys.executable,
            "venv_builder": "a",
            "venv_owner": getpass.getuser(),
            "ansible_become": False,
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
        }
        environment = os.environ | {
            "ANSIBLE_NOCOLOR": "1",
            **recording(folder / "record.jsonl"),
        }
        program = Path(sys.executable).parent / "ansible-playbook"
        command = [program, "-i", "a,b,", folder / "play.yml", *arguments, "-e", json.dumps(given | variables)]
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr, counted(lines(folder / "record.jsonl"))

    run.venvs = folder / "venvs"
    return run


def test_a_prediction_makes_nothing(run):
    status, output, dummy = run("--check")
    assert status == 0, output
    assert "changed=2" in output and not run.venvs.exists()


def test_the_builder_makes_it_and_the_second_run_is_one_task_on_each(run):
    status, output, dummy = run()
    assert status == 0, output
    assert (run.venvs / "current").readlink() == run.venvs / "one"
    for arguments in ([], ["--check"]):
        status, output, counts = run(*arguments)
        assert status == 0 and "changed=1" not in output, output
        assert counts == {host: {"run": 1, "skipped": 2, "changed": 0} for host in "ab"}


def test_a_link_that_leads_elsewhere_is_set_anew(run):
    (run.venvs / "current").unlink()
    (run.venvs / "current").symlink_to(run.venvs / "another")
    assert run()[0] == 0
    assert (run.venvs / "current").readlink() == run.venvs / "one"


def test_what_is_not_finished_is_made_anew(run):
    (run.venvs / "one/.complete").unlink()
    (run.venvs / "one/bin/python").unlink()
    status, output, dummy = run()
    assert status == 0, output
    assert (run.venvs / "one/.complete").exists() and (run.venvs / "one/bin/python").exists()


def test_a_host_with_another_interpreter_is_refused(run):
    python = run.venvs / "one/bin/python"
    python.unlink()
    # Another answer each time, as where the interpreter is each host's own.
    python.write_text("#!/bin/sh\necho build $$\n", encoding="utf-8")
    python.chmod(0o755)
    status, output, dummy = run()
    assert status == 2
    assert f"{run.venvs}/one/bin/python on b is" in output and "the same build of" in output
    assert "Traceback" not in output
