# SPDX-License-Identifier: GPL-3.0-or-later
"""Who holds a folder: real processes of this machine."""

from __future__ import annotations

import contextlib
import subprocess

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import holders
from ansible_collections.gh200.inference.plugins.module_utils.mounts import Mount

HOLDING = {
    "a working folder": ["cd {0}; read line", "{0}"],
    "an open file": ["exec 7<{0}/file; read line", "{0}/file"],
    "a program": ["exec {0}/cat", "{0}/cat"],
}


@contextlib.contextmanager
def process(script, folder):
    """A shell that has done what the script says, and waits."""
    command = ["bash", "-c", f"echo ready; {script}"] if "exec /" in script else ["bash", "-c", script]
    command[-1] = command[-1].replace("; read line", "; echo ready; read line")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout.readline() == "ready\n"
        if "/cat" in script:
            started.stdin.write("runs\n")
            started.stdin.flush()
            assert started.stdout.readline() == "runs\n"
        yield started
        started.stdin.close()


@pytest.mark.parametrize("how", HOLDING)
def test_a_process_is_named_with_its_pid_its_command_and_what_it_holds(how, tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    subprocess.run(["cp", "/bin/cat", str(tmp_path / "cat")], check=True)
    script, path = (word.format(tmp_path) for word in HOLDING[how])
    with process(script, tmp_path) as started:
        name = "cat" if how == "a program" else "bash"
        assert holders.holders(str(tmp_path)) == [f"{started.pid} ({name}, {path})"]
    assert holders.holders(str(tmp_path)) == []


def test_a_neighbour_with_a_longer_name_is_not_held(tmp_path):
    (tmp_path / "ab").mkdir()
    with process(f"cd {tmp_path}/ab; read line", tmp_path):
        assert holders.holders(str(tmp_path / "a")) == []


def proc(folder, count):
    """A /proc with so many processes that hold /s."""
    for pid in range(1, count + 1):
        (folder / str(pid)).mkdir()
        (folder / str(pid) / "cwd").symlink_to("/s/x")
        (folder / str(pid) / "comm").write_text("python\n", encoding="utf-8")
    return str(folder)


def test_many_are_counted(tmp_path):
    said = holders.sentence("/s", [], proc(tmp_path, 7))
    assert said.startswith("by process 1 (python, /s/x), 2 (") and said.endswith(" and 2 more")


def test_a_mount_inside_holds_too(tmp_path):
    inside = Mount("/s/inside", "tmpfs", "tmpfs", [], "0:1")
    assert holders.sentence("/s", [inside], proc(tmp_path, 0)) == "by what is mounted at /s/inside"


def test_what_nobody_shows_is_said(tmp_path):
    assert "no process shows" in holders.sentence("/s", [], proc(tmp_path, 0))
