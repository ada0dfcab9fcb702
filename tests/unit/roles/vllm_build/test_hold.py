# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive has the checksum that is given, or the one of its first use."""

from __future__ import annotations

import hashlib

import pytest

URL = "https://example.com/llvm.tar.gz"
FIRST = hashlib.sha256(b"first").hexdigest()
SECOND = hashlib.sha256(b"second").hexdigest()


@pytest.fixture(name="hold")
def held(load, tmp_path):
    """hold(content, given): runs the program on an archive with this content."""
    program = load("vllm_build/hold.py")
    archive = tmp_path / "archive"

    def hold(content, given=""):
        archive.write_bytes(content)
        program.main(str(archive), URL, str(tmp_path / "checksums/llvm.sha256"), "that_variable", given)

    hold.archive, hold.record = archive, tmp_path / "checksums/llvm.sha256"
    return hold


def test_the_first_use_is_recorded_and_the_second_is_held_to_it(hold, capsys):
    hold(b"first")
    hold(b"first")
    assert hold.record.read_text(encoding="utf-8") == f"{FIRST}  llvm.tar.gz\n"
    assert capsys.readouterr().out == f"{FIRST}\n" * 2


def test_another_archive_is_refused_and_removed(hold):
    hold(b"first")
    with pytest.raises(
        SystemExit, match=rf"{URL} has the checksum {SECOND}, but .*llvm\.sha256 holds from its first use {FIRST}"
    ):
        hold(b"second")
    assert not hold.archive.exists()
    assert hold.record.read_text(encoding="utf-8").startswith(FIRST)


def test_what_is_given_decides(hold):
    with pytest.raises(SystemExit, match=rf"has the checksum {FIRST}, but that_variable says {SECOND}"):
        hold(b"first", SECOND)
    hold(b"second", SECOND)
    assert not hold.record.exists()
