# SPDX-License-Identifier: GPL-3.0-or-later
"""What counts as complete, what is needed no more, and what becomes of files that are not what the hub has."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest

FIRST = ["model.safetensors.index.json", "config.json"]


def test_what_was_verified_is_complete(model):
    assert model().is_complete(True)
    assert not model(revision="d" * 40).is_complete(True)


def test_of_a_stage_only_its_files_are_needed(model):
    found = model([0, 0], [*FIRST, "sub/note.txt", "a.safetensors"])
    assert found.is_complete(True)
    found.layers = [0, 1]
    assert not found.is_complete(True) and found.lacks() == {"b.safetensors"}


@pytest.mark.parametrize(("before", "after"), [(None, [0, 1]), ([0, 1], None)])
def test_the_engine_sees_an_index_only_where_all_shards_are(model, part, before, after):
    index = FIRST[0]
    first = model(before)
    assert first.is_complete(True) and (first.folder / index).exists() is (before is None)
    second = part("model").Model("own/model", "c" * 40, first.folder, after)
    # It is not fetched again.
    assert second.lacks() == {index}
    assert second.accept(index, second.lying(index))
    assert second.is_complete(True) and (second.folder / index).exists() is (after is None)
    assert (second.folder / ".gh200-index.json").exists() is (after is not None)


@pytest.mark.parametrize("after", [None, [0, 1]])
def test_no_index_of_another_revision_is_left(model, part, listing, content, after):
    folder = model(None if after else [0, 1]).folder
    new = part("model").Model("own/model", "d" * 40, folder, after)
    new.learn(listing)
    changed = folder / "came"
    changed.write_bytes(content[FIRST[0]])
    assert new.accept(FIRST[0], changed)
    new.tidy(False)
    names = {path.name for path in folder.iterdir() if "index" in path.name}
    assert names == {".gh200-index.json" if after else FIRST[0]}


def test_what_is_kept_beyond_need_is_told_unless_it_may_stay(model):
    found = model([1, 1])
    assert found.surplus() == {"a.safetensors"}
    assert not found.is_complete(True) and found.is_complete(False)


def test_pruning_takes_what_is_ours_alone(model):
    found = model([1, 1])
    (found.folder / "mine.safetensors").write_bytes(b"mine")
    found.tidy(False)
    assert (found.folder / "a.safetensors").exists()
    found.tidy(True)
    assert not (found.folder / "a.safetensors").exists() and (found.folder / "mine.safetensors").exists()
    assert found.is_complete(True)


def test_files_of_another_revision_go_too_even_after_a_kill(model, part, listing):
    folder = model().folder
    del listing["a.safetensors"]
    new = part("model").Model("own/model", "d" * 40, folder)
    assert new.have == set()
    new.learn(listing)
    assert new.accept("config.json", folder / "config.json")
    again = part("model").Model("own/model", "d" * 40, folder)
    assert again.manifest.former - set(listing) == {"a.safetensors"} and again.have == {"config.json"}


@pytest.mark.parametrize("name", ["config.json", "a.safetensors"])
def test_a_file_that_was_changed_is_noticed(model, part, name, capsys):
    path = model().folder / name
    content, status = path.read_bytes(), path.stat()
    path.write_bytes(content[:-1] + b"?")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    again = part("model").Model("own/model", "c" * 40, path.parent)
    assert not again.is_complete(True)
    assert again.lying(name) == path and not again.accept(name, path)
    assert f"{path} has not the checksum that the hub gives; it is fetched anew" in capsys.readouterr().out
    assert not path.exists()


def test_a_truncated_file_and_one_that_is_gone_are_named(model, capsys):
    found = model()
    (found.folder / "a.safetensors").write_bytes(b"w")
    (found.folder / "b.safetensors").unlink()
    assert found.lying("a.safetensors") is None and found.lying("b.safetensors") is None
    said = capsys.readouterr().out
    assert "a.safetensors has 1 bytes and should have 18" in said and "b.safetensors is gone" in said
    assert not (found.folder / "a.safetensors").exists()


def test_a_file_that_came_is_put_at_its_place_when_it_is_right(model, content):
    found = model(names=FIRST)
    for name, text, right in (("a.safetensors", content["a.safetensors"], True), ("b.safetensors", b"no", False)):
        path = found.partial / "peers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        assert found.accept(name, path) == right and not path.exists()
        assert (found.folder / name).exists() == right


def test_the_manifest_is_written_file_by_file(model):
    found = model(names=["config.json"])
    noted = json.loads((found.folder / ".gh200-manifest.json").read_text(encoding="utf-8"))
    status = (found.folder / "config.json").stat()
    assert set(noted["files"]) == {"config.json"} and len(noted["listing"]) == 5
    assert noted["files"]["config.json"]["verified"] == [status.st_size, status.st_mtime_ns]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"repository": "own/model"}', '{"listing": {"a": 1}}', '{"files": {"a": {}}}'],
)
def test_a_damaged_manifest_does_not_count(model, text):
    good = model()
    path = good.folder / ".gh200-manifest.json"
    if text.startswith(('{"listing', '{"files')):
        text = json.dumps(json.loads(path.read_text(encoding="utf-8")) | json.loads(text))
    path.write_text(text, encoding="utf-8")
    assert not type(good)("own/model", "c" * 40, good.folder).is_complete(True)


def test_what_is_no_commit_is_asked_for_again(model, listing, content):
    found = model()
    found.revision = "main"
    found.doubt()
    assert not found.is_known()
    listing["a.safetensors"] = listing["a.safetensors"] | {"sha256": "another"}
    found.learn(listing)
    assert found.have == set(content) - {"a.safetensors"}


def give_room(monkeypatch, part, *free):
    """What the disk has free, each time it is asked; the last for ever."""
    left = list(free)
    monkeypatch.setattr(
        part("space").shutil,
        "disk_usage",
        lambda folder: SimpleNamespace(free=left.pop(0) if len(left) > 1 else left[0]),
    )


def test_a_model_must_fit_before_its_first_shard(model, part, monkeypatch):
    found = model(names=FIRST)
    give_room(monkeypatch, part, 40)
    part("space").require([found], True)
    give_room(monkeypatch, part, 39)
    said = rf"40 bytes of own/model for {found.folder} are still to come, and 39 bytes are free there; choose a folder"
    with pytest.raises(part("words").Failure, match=said):
        part("space").require([found], True)


def test_two_models_that_fit_only_one_by_one_are_told_so(part, tmp_path, monkeypatch, listing):
    models = [part("model").Model(f"own/{name}", "c" * 40, tmp_path / name) for name in "ab"]
    for one in models:
        one.learn({name: listing[name] for name in ("a.safetensors", "b.safetensors")})
    give_room(monkeypatch, part, 50)
    with pytest.raises(part("words").Failure, match=r"alone fits own/a or own/b: fetch one at a time, or choose"):
        part("space").require(models, True)


def test_what_need_not_be_kept_makes_room(model, part, monkeypatch):
    found = model([1, 1], [*FIRST, "sub/note.txt", "a.safetensors"])
    give_room(monkeypatch, part, 1, 100)
    part("space").require([found], True)
    assert not (found.folder / "a.safetensors").exists()
