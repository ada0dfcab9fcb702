# SPDX-License-Identifier: GPL-3.0-or-later
"""One commit without its history, a submodule if it is named, and a sentence when it cannot be had."""

from __future__ import annotations

import subprocess

import pytest

PERSON = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]


def git(folder, *arguments):
    return subprocess.run(
        ["git", *PERSON, "-C", str(folder), *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


def repository(path, commits=2):
    """A repository with commits that write their number to the file "number"."""
    subprocess.run(["git", "init", "--quiet", str(path)], check=True)
    git(path, "config", "uploadpack.allowAnySHA1InWant", "true")
    for number in range(commits):
        (path / "number").write_text(str(number), encoding="utf-8")
        git(path, "add", "number")
        git(path, "commit", "--quiet", "--message", str(number))
    return path


@pytest.fixture(name="clone")
def program(load, monkeypatch):
    module = load("vllm_build/clone.py")
    monkeypatch.setattr(module, "PAUSES", [0, 0])
    return module


@pytest.fixture(name="source")
def repository_of_three(tmp_path):
    return repository(tmp_path / "source", 3)


def url(path):
    return f"file://{path}"


def test_one_commit_and_no_history(clone, source, tmp_path):
    clone.main(url(source), git(source, "rev-parse", "HEAD~1"), str(tmp_path / "clone"), "variable")
    assert (tmp_path / "clone/number").read_text(encoding="utf-8") == "1"
    assert git(tmp_path / "clone", "rev-list", "--count", "HEAD") == "1"


def test_what_is_there_is_not_fetched_again_and_changes_are_undone(clone, source, tmp_path):
    commit = git(source, "rev-parse", "HEAD")
    clone.main(url(source), commit, str(tmp_path / "clone"), "variable")
    (tmp_path / "clone/number").write_text("changed", encoding="utf-8")
    clone.main("file:///nowhere", commit, str(tmp_path / "clone"), "variable")
    assert (tmp_path / "clone/number").read_text(encoding="utf-8") == "2"


def test_only_the_submodule_that_is_named(clone, source, tmp_path):
    for name in ("wanted", "other"):
        git(source, "submodule", "--quiet", "add", url(repository(tmp_path / name)), f"csrc/{name}")
    git(source, "commit", "--quiet", "--message", "submodules")
    clone.main(
        url(source),
        git(source, "rev-parse", "HEAD"),
        str(tmp_path / "clone"),
        "variable",
        "csrc/wanted",
        url(tmp_path / "wanted"),
    )
    assert (tmp_path / "clone/csrc/wanted/number").read_text(encoding="utf-8") == "1"
    assert not list((tmp_path / "clone/csrc/other").iterdir())


def test_a_submodule_that_is_none(clone, source, tmp_path):
    with pytest.raises(SystemExit, match="has no submodule number at"):
        clone.main(
            url(source), git(source, "rev-parse", "HEAD"), str(tmp_path / "clone"), "variable", "number", url(source)
        )


def test_a_repository_that_does_not_answer(clone, tmp_path, capsys):
    with pytest.raises(
        SystemExit,
        match=r"file:///nowhere did not give the commit 0{40} in 2 tries \(.+\): set that_variable to a mirror",
    ):
        clone.main("file:///nowhere", "0" * 40, str(tmp_path / "clone"), "that_variable")
    assert capsys.readouterr().out.count("Fetching file:///nowhere failed") == 2
