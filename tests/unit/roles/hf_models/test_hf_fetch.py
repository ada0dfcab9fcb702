# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as a complete model, and what happens to files that are not what the hub has."""

from __future__ import annotations

import hashlib
import json
import os
from argparse import Namespace
from types import SimpleNamespace

import pytest

CONTENT = {"config.json": b"{}", "sub/model.safetensors": b"weights"}


@pytest.fixture(name="hf")
def program(load):
    return load("hf_models/hf_fetch.py")


@pytest.fixture(name="options")
def model_options(tmp_path):
    """As the command line gives them, for a folder in which all files are."""
    options = Namespace(repository="o/m", revision="c1", folder=tmp_path / "m", workers=1)
    for name, content in CONTENT.items():
        path = options.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return options


def files():
    """What the hub says of them."""
    git = hashlib.sha1(b"blob 2\0{}", usedforsecurity=False).hexdigest()
    return {
        "config.json": {"size": 2, "sha256": None, "git": git},
        "sub/model.safetensors": {"size": 7, "sha256": hashlib.sha256(b"weights").hexdigest(), "git": "0" * 40},
    }


def test_what_was_verified_is_complete(hf, options):
    assert not hf.is_complete(options)
    hf.verify(options, files())
    assert hf.is_complete(options)


@pytest.mark.parametrize("change", [{"repository": "o/other"}, {"revision": "c2"}])
def test_the_manifest_of_another_model_or_revision_does_not_count(hf, options, change):
    hf.verify(options, files())
    assert not hf.is_complete(Namespace(**vars(options) | change))


def test_a_file_that_was_changed_or_lost_is_noticed(hf, options):
    hf.verify(options, files())
    path = options.folder / "config.json"
    status = path.stat()
    path.write_bytes(b"[]")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert not hf.is_complete(options)
    path.write_bytes(b"{}")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert hf.is_complete(options)
    path.unlink()
    assert not hf.is_complete(options)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "{}",
        '{"repository": "o/m", "revision": "c1"}',
        '{"repository": "o/m", "revision": "c1", "files": {"config.json": {}}}',
    ],
)
def test_a_damaged_manifest_does_not_count(hf, options, text):
    (options.folder / hf.MANIFEST).write_text(text, encoding="utf-8")
    assert not hf.is_complete(options)


@pytest.mark.parametrize(
    ("name", "content"), [("config.json", b"[]"), ("sub/model.safetensors", b"weightz"), ("sub/model.safetensors", b"")]
)
def test_a_wrong_file_is_removed_and_no_manifest_is_written(hf, options, name, content):
    (options.folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"1 files did not have the checksum .*{name}"):
        hf.verify(options, files())
    assert not (options.folder / name).exists() and not (options.folder / hf.MANIFEST).exists()
    assert sum(path.is_file() for path in options.folder.rglob("*")) == 1


def test_a_missing_file_is_wrong_too(hf, options):
    (options.folder / "config.json").unlink()
    with pytest.raises(ValueError, match=r"config.json"):
        hf.verify(options, files())


def test_the_manifest_has_size_checksum_and_time_of_each_file(hf, options):
    hf.verify(options, files())
    manifest = json.loads((options.folder / hf.MANIFEST).read_text(encoding="utf-8"))
    status = (options.folder / "config.json").stat()
    assert manifest["files"]["config.json"] == files()["config.json"] | {"verified": [2, status.st_mtime_ns]}
    assert sorted(path.name for path in options.folder.iterdir()) == [hf.MANIFEST, "config.json", "sub"]


def test_the_listing_knows_large_files_from_small_ones(hf):
    info = SimpleNamespace(
        siblings=[
            SimpleNamespace(rfilename="a", size=7, lfs=SimpleNamespace(sha256="5a"), blob_id="b1"),
            SimpleNamespace(rfilename="b", size=None, lfs=None, blob_id="b2"),
        ]
    )
    assert hf.listing(info) == {
        "a": {"size": 7, "sha256": "5a", "git": "b1"},
        "b": {"size": 0, "sha256": None, "git": "b2"},
    }


def test_a_disk_that_is_too_small_is_told_before_the_download(hf, options, monkeypatch):
    monkeypatch.setattr(hf.shutil, "disk_usage", lambda folder: SimpleNamespace(free=2 * hf.GIB))
    hf.need_space(options.folder, 2 * hf.GIB + 9)  # nine bytes are there already
    with pytest.raises(OSError, match=r"2\.0 GiB free and 3\.0 GiB are still to come"):
        hf.need_space(options.folder, 3 * hf.GIB + 9)


def test_an_error_is_one_sentence_with_what_to_do(hf, options, monkeypatch):
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    known = type("RepositoryNotFoundError", (Exception,), {})("401\nlong text")
    assert hf.sentence(options, known).startswith(
        "Fetching o/m at c1 from the hub failed: the hub does not know this model"
    )
    assert "OSError: " in hf.sentence(options, OSError("disk full\nmore")) and "disk full" in hf.sentence(
        options, OSError("disk full\nmore")
    )
    assert "more" not in hf.sentence(options, OSError("disk full\nmore"))
    assert hf.sentence(options, ValueError()) == "Fetching o/m at c1 from the hub failed: ValueError: no further word."


@pytest.mark.parametrize(("revision", "status"), [("c1", 0), ("c2", 1)])
def test_check_tells_by_its_status(hf, options, monkeypatch, revision, status):
    hf.verify(options, files())
    monkeypatch.setattr(hf.sys, "argv", ["hf_fetch.py", "o/m", revision, str(options.folder), "--check"])
    assert hf.main() == status
