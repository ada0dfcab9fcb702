# SPDX-License-Identifier: GPL-3.0-or-later
"""The set-up says in one sentence what is missing, and touches nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BASH = "/bin/bash"


def script(name, *arguments, cwd, **env):
    """What it says on stderr, and its status."""
    done = subprocess.run(
        [BASH, ROOT / "scripts" / name, *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.fixture(name="tools")
def _tools(tmp_path):
    """A folder for PATH in which only these programs are."""

    def tools(**programs):
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, text in programs.items():
            (folder / name).write_text(f"#!{BASH}\n{text}\n", encoding="utf-8")
            (folder / name).chmod(0o755)
        return str(folder)

    return tools


def test_missing_programs_are_named_together(tmp_path, tools):
    status, said = script("programs.sh", "gcc", "git", "ssh-keygen", cwd=tmp_path, PATH=tools(git="exit 0"))
    assert status == 1 and said.count("\n") == 1
    assert said.startswith("setup: the tests run these programs, which are not here: gcc ssh-keygen. Install them")


def test_programs_that_are_there_are_not_mentioned(tmp_path, tools):
    assert script("programs.sh", "git", cwd=tmp_path, PATH=tools(git="exit 1")) == (0, "")


@pytest.mark.parametrize(
    "minor, sentence",
    [
        (10, "which is not a Python 3.11, 3.12 or 3.13: name another."),
        (11, "has no venv and ensurepip"),
        (13, "has no venv and ensurepip"),
        (14, "which is not a Python 3.11, 3.12 or 3.13: name another."),
    ],
)
def test_python_must_be_one_of_three(tmp_path, tools, minor, sentence):
    # It answers the first question as that version would, and the second with no.
    answer = f'case "$2" in *ensurepip*) exit 1;; esac\nexec "{sys.executable}" -c '
    answer += f'"import sys; sys.version_info = (3, {minor}, 0); ${{2#import sys; }}"'
    status, said = script("venv.sh", "venv", cwd=tmp_path, PYTHON=f"{tools(python=answer)}/python")
    assert status == 1 and said.count("\n") == 1 and sentence in said
    assert not (tmp_path / "venv").exists()


def test_a_python_without_venv_names_the_package(tmp_path, tools):
    folder = tools(python='case "$2" in *ensurepip*) exit 1;; esac')
    status, said = script("venv.sh", "venv", cwd=tmp_path, PYTHON=f"{folder}/python")
    assert status == 1 and said == (
        f"setup: {folder}/python has no venv and ensurepip: install them, on Debian with "
        "`apt-get install python3-venv`.\n"
    )
