# SPDX-License-Identifier: GPL-3.0-or-later
"""A source archive comes from the index that pip is set to, and only if it is the right one."""

from __future__ import annotations

import hashlib
import os
import typing as t

import pytest

ARCHIVE = b"sources"
SHA256 = hashlib.sha256(ARCHIVE).hexdigest()
NAME = "vllm-0.7.2.tar.gz"


@pytest.fixture(name="fetch")
def program(load, monkeypatch):
    """The program; nothing of pip's settings of this machine is read."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    module = load("vllm_build/fetch_source.py")
    monkeypatch.setattr(module, "PAUSES", [0, 0, 0])
    return module


@pytest.fixture(name="index")
def package_index(serve):
    """An index with one project; `index.asked` has the paths."""

    class Index:
        asked: t.ClassVar[list[t.Any]] = []
        page = f'<a href="vllm-0.7.1.tar.gz">a</a> <a href="../../files/{NAME}#sha256={SHA256}">b</a>'.encode()
        file = ARCHIVE

        def answer(self, method, path, headers, body):
            self.asked.append(path)
            return {"/simple/vllm/": (200, self.page), f"/files/{NAME}": (200, self.file)}.get(path, (404, b""))

    index = Index()
    index.asked = []
    index.url = serve(index.answer) + "/simple/"
    return index


def test_the_archive_is_found_on_the_page_of_its_project(fetch, index, monkeypatch, tmp_path):
    monkeypatch.setattr(fetch, "index", lambda: index.url)
    fetch.main("vllm", NAME, SHA256, str(tmp_path / NAME))
    assert (tmp_path / NAME).read_bytes() == ARCHIVE and index.asked == ["/simple/vllm/", f"/files/{NAME}"]


def test_what_is_there_and_right_is_not_fetched_again(fetch, index, monkeypatch, tmp_path):
    monkeypatch.setattr(fetch, "index", lambda: index.url)
    (tmp_path / NAME).write_bytes(ARCHIVE)
    fetch.main("vllm", NAME, SHA256, str(tmp_path / NAME))
    assert index.asked == []


def test_what_is_there_and_damaged_is_replaced(fetch, index, tmp_path):
    (tmp_path / NAME).write_bytes(b"half")
    fetch.main("vllm", NAME, SHA256, str(tmp_path / NAME), index.url.replace("simple/", f"files/{NAME}"))
    assert (tmp_path / NAME).read_bytes() == ARCHIVE and index.asked == [f"/files/{NAME}"]


def test_an_archive_with_another_checksum_is_refused(fetch, index, monkeypatch, tmp_path):
    index.file = b"changed"
    monkeypatch.setattr(fetch, "index", lambda: index.url)
    with pytest.raises(
        SystemExit, match=rf"has the checksum {hashlib.sha256(b'changed').hexdigest()}, wanted is {SHA256}"
    ):
        fetch.main("vllm", NAME, SHA256, str(tmp_path / NAME))
    assert not (tmp_path / NAME).exists()


def test_an_index_without_the_archive_is_named(fetch, index, monkeypatch):
    monkeypatch.setattr(fetch, "index", lambda: index.url)
    with pytest.raises(
        SystemExit, match=r"The package index at http://127\.0\.0\.1:\d+/simple/vllm/ has no vllm-9\.tar\.gz"
    ):
        fetch.find("vllm", "vllm-9.tar.gz")


def test_the_index_may_come_from_the_environment(fetch, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://192.0.2.1/simple")
    assert fetch.index() == "http://192.0.2.1/simple"


def test_a_server_that_is_tired_is_asked_again(fetch, serve, tmp_path):
    answers = [(503, b""), (429, b""), (200, ARCHIVE)]
    url = serve(lambda *request: answers.pop(0))
    fetch.main("vllm", NAME, SHA256, str(tmp_path / NAME), url)
    assert (tmp_path / NAME).read_bytes() == ARCHIVE and answers == []


@pytest.mark.parametrize(("status", "times"), [(404, 1), (503, 3)])
def test_what_cannot_be_read_is_one_sentence(fetch, serve, tmp_path, status, times):
    asked = []
    url = serve(lambda *request: asked.append(request) or (status, b""))
    with pytest.raises(
        SystemExit, match=rf"{url} cannot be read \(.+\): see whether .* or set vllm_build_source to a mirror"
    ):
        fetch.main("vllm", NAME, SHA256, str(tmp_path / NAME), url)
    assert len(asked) == times
