# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive is unpacked if it has the checksum and a Python in it; else nothing is left, and one sentence says why."""

from __future__ import annotations

import hashlib
import io
import tarfile

import pytest


@pytest.fixture(name="program")
def the_program(load, monkeypatch):
    program = load("python311/unpack.py")
    monkeypatch.setattr(program, "PAUSES", (0, 0))
    return program


def archive(*names):
    """A .tar.gz with these files, and its sha256."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    return content.getvalue(), hashlib.sha256(content.getvalue()).hexdigest()


PYTHON, SUM = archive("python/bin/python3.11", "python/lib/x")


def test_it_is_unpacked_and_marked(program, serve, tmp_path):
    url = serve(lambda *request: (200, PYTHON))
    assert program.main(url, SUM, str(tmp_path / "here/one")) is None
    assert (tmp_path / "here/one" / program.MARK).read_text(encoding="utf-8") == f"{SUM}\n"
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["one"]


def test_what_was_left_unfinished_is_replaced(program, serve, tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "one/half").touch()
    assert program.main(serve(lambda *request: (200, PYTHON)), SUM, str(tmp_path / "one")) is None
    assert not (tmp_path / "one/half").exists()


@pytest.mark.parametrize(
    ("content", "wanted", "words"),
    [
        (PYTHON, "0" * 64, f"has the sha256 {SUM} instead of {'0' * 64}, and was not unpacked"),
        (*archive("python/bin/python3.12"), "is no install_only archive of Python 3.11"),
        (b"no archive", hashlib.sha256(b"no archive").hexdigest(), "is no install_only archive of Python 3.11"),
    ],
    ids=["checksum", "another Python", "no archive"],
)
def test_what_it_is_not_is_one_sentence(program, serve, tmp_path, content, wanted, words):
    said = program.main(serve(lambda *request: (200, content)), wanted, str(tmp_path / "one"))
    assert words in said and "\n" not in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("status", "asked"), [(503, 3), (404, 1)])
def test_a_server_that_is_busy_is_asked_again(program, serve, tmp_path, status, asked):
    requests = []
    url = serve(lambda *request: (requests.append(request), (status, b""))[1])
    said = program.main(url, SUM, str(tmp_path / "one"))
    assert f"HTTP Error {status}" in said and len(requests) == asked and not list(tmp_path.iterdir())


def test_no_address_is_one_sentence(program, tmp_path):
    assert "could not be fetched: unknown url type" in program.main("nowhere", SUM, str(tmp_path / "one"))
