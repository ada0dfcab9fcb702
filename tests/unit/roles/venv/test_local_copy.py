# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy is whole or has no name, is made once, and is what the environment is."""

from __future__ import annotations

import json
import os
import shutil
from types import SimpleNamespace

import pytest


@pytest.fixture(name="program")
def the_program(load):
    return load("venv/local_copy.py")


@pytest.fixture(name="source")
def an_environment(tmp_path):
    """A folder, a file with an old time, a link within and a link that leads out."""
    folder = tmp_path / "share/one"
    (folder / "lib/package").mkdir(parents=True)
    (folder / "lib/package/module.py").write_text("x = 1\n", encoding="utf-8")
    os.utime(folder / "lib/package/module.py", (1e9, 1e9))
    (folder / "lib64").symlink_to("lib")
    (folder / "python").symlink_to("/usr/bin/env")
    (folder / "lib").chmod(0o700)
    (folder / ".complete").touch()
    return folder


def test_it_is_what_the_environment_is(program, source, tmp_path):
    copy = tmp_path / "local/one"
    program.make(str(source), str(copy))
    assert (copy / "lib64").readlink().name == "lib" and str((copy / "python").readlink()) == "/usr/bin/env"
    assert (copy / "lib/package/module.py").stat().st_mtime == 1e9 and (copy / "lib").stat().st_mode & 0o777 == 0o700
    assert {path.relative_to(source) for path in source.rglob("*")} | {(copy / program.MARK).relative_to(copy)} == {
        path.relative_to(copy) for path in copy.rglob("*")
    }
    assert os.listdir(tmp_path / "local") == ["one"]


def test_it_is_made_once(program, source, tmp_path, monkeypatch):
    copy = str(tmp_path / "local/one")
    program.make(str(source), copy)
    monkeypatch.setattr(program, "transfer", lambda *given: pytest.fail("it was copied again"))
    program.make(str(source), copy)


def test_one_that_was_killed_is_begun_anew(program, source, tmp_path):
    copy = tmp_path / "local/one"
    for folder in (copy, tmp_path / "local/.one.part"):
        folder.mkdir(parents=True)
        (folder / "half").touch()
    program.make(str(source), str(copy))
    assert not list((tmp_path / "local").rglob("half")) and (copy / program.MARK).exists()


def test_what_is_not_finished_is_not_copied(program, source, tmp_path):
    (source / ".complete").unlink()
    with pytest.raises(program.Refused, match=r"has no \.complete"):
        program.make(str(source), str(tmp_path / "local/one"))


def test_a_disk_that_is_too_small_is_told_first(program, source, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=3))
    with pytest.raises(program.Refused, match=r"choose another venv_local_dir"):
        program.make(str(source), str(tmp_path / "local/one"))
    assert not (tmp_path / "local/one").exists()


def test_a_file_that_cannot_be_read_is_one_sentence_and_leaves_no_name(program, source, tmp_path, monkeypatch):
    def broken(*given, **options):
        raise OSError(5, "Input/output error", str(source / "lib/package/module.py"))

    monkeypatch.setattr(program, "unit", lambda path: str(tmp_path / "none.mount"))
    monkeypatch.setattr(shutil, "copy2", broken)
    said = program.main("mount", str(source), str(tmp_path / "local"), "one")
    assert "Input/output error" in said and "\n" not in said and not (tmp_path / "local/one").exists()


def test_a_plain_folder_is_no_copy(program, source, tmp_path):
    program.make(str(source), str(tmp_path / "local/one"))
    assert program.main("check", str(source), str(tmp_path / "local"), "one") == 1


def test_progress_is_one_object(program, tmp_path, monkeypatch):
    monkeypatch.setenv("GH200_PROGRESS", str(tmp_path / "progress"))
    program.progress(1, 4)
    assert json.loads((tmp_path / "progress").read_text(encoding="utf-8"))["total"] == 4
