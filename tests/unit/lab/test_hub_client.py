# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub, with the client that the nodes use."""

from __future__ import annotations

import numpy
import pytest

from lab import model
from lab.model import layout

huggingface_hub = pytest.importorskip("huggingface_hub")
errors = pytest.importorskip("huggingface_hub.errors")


@pytest.fixture(name="folder", scope="module")
def made(tmp_path_factory):
    """Files as those of the model, made once for all tests here."""
    folder = tmp_path_factory.mktemp("hub") / "repos" / model.REPOSITORY
    folder.mkdir(parents=True)
    layout.write_shards(
        folder,
        {f"model.layers.{number}.weight": numpy.full((64, 64), number, dtype=numpy.float32) for number in range(6)},
    )
    layout.write_json(folder / "config.json", model.CONFIG)
    return folder


@pytest.fixture(name="hub", scope="module")
def address(serving, folder):
    """Where it answers."""
    with serving(folder.parents[2]) as url:
        yield url


def test_download_gives_the_files_as_they_are(hub, folder, tmp_path):
    got = tmp_path / "model"
    huggingface_hub.snapshot_download(model.REPOSITORY, revision=model.revision(folder), local_dir=got, endpoint=hub)
    names = sorted(path.name for path in folder.iterdir())
    assert sorted(path.name for path in got.iterdir() if path.name != ".cache") == names
    assert all((got / name).read_bytes() == (folder / name).read_bytes() for name in names)


def test_listing(hub, folder):
    api = huggingface_hub.HfApi(endpoint=hub)
    info = api.model_info(model.REPOSITORY, files_metadata=True)
    assert info.sha == model.revision(folder)
    sizes = {file.rfilename: file.size for file in info.siblings}
    assert sizes == {path.name: path.stat().st_size for path in folder.iterdir()}
    assert {file.rfilename for file in info.siblings if file.lfs} == {
        name for name in sizes if name.endswith(".safetensors")
    }
    assert {entry.path for entry in api.list_repo_tree(model.REPOSITORY)} == set(sizes)


@pytest.mark.parametrize(
    ("repository", "revision", "file", "error"),
    [
        ("gh200/other", "main", "config.json", errors.RepositoryNotFoundError),
        (model.REPOSITORY, "0" * 40, "config.json", errors.RevisionNotFoundError),
        (model.REPOSITORY, "main", "other.json", errors.EntryNotFoundError),
    ],
)
def test_what_is_not_there_has_its_own_error(hub, tmp_path, repository, revision, file, error):
    with pytest.raises(error):
        huggingface_hub.hf_hub_download(repository, file, revision=revision, local_dir=tmp_path, endpoint=hub)
