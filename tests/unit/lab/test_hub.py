# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub, over HTTP: what the client of the hub reads from headers and bodies."""

from __future__ import annotations

import hashlib

import pytest
import requests

WEIGHTS = bytes(range(256)) * 40
GIT_NAME = hashlib.sha1(b"blob 3\0{}\n").hexdigest()


@pytest.fixture(name="root")
def hub_root(tmp_path):
    """A repository with a small and a large file, and a file that is no part of one."""
    repository = tmp_path / "repos" / "someone" / "model"
    (repository / "sub").mkdir(parents=True)
    (repository / "config.json").write_text("{}\n", encoding="utf-8")
    (repository / "sub" / "weights.safetensors").write_bytes(WEIGHTS)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.whl").write_bytes(b"wheel")
    (tmp_path / "secret").write_text("no", encoding="utf-8")
    return tmp_path


@pytest.fixture(name="hub")
def address(serving, root):
    """Where it answers."""
    with serving(root) as url:
        yield url


def get(url, **options):
    """Without the path being tidied up by the client."""
    return requests.get(url, timeout=10, **options)


def test_info_names_the_revision_and_describes_the_files(hub):
    info = get(f"{hub}/api/models/someone/model").json()
    assert len(info["sha"]) == 40 and int(info["sha"], 16)
    files = {file["rfilename"]: file for file in info["siblings"]}
    assert set(files) == {"config.json", "sub/weights.safetensors"}
    assert files["sub/weights.safetensors"]["lfs"]["sha256"] == hashlib.sha256(WEIGHTS).hexdigest()
    assert files["config.json"]["blobId"] == GIT_NAME and "lfs" not in files["config.json"]
    assert get(f"{hub}/api/models/someone/model/revision/{info['sha']}").json() == info


def test_tree_has_paths_and_sizes(hub):
    tree = get(f"{hub}/api/models/someone/model/tree/main", params={"recursive": True}).json()
    assert [(file["type"], file["path"], file["size"]) for file in tree] == [
        ("file", "config.json", 3),
        ("file", "sub/weights.safetensors", len(WEIGHTS)),
    ]


def test_head_of_a_large_file(hub):
    answer = requests.head(f"{hub}/someone/model/resolve/main/sub/weights.safetensors", timeout=10)
    checksum = hashlib.sha256(WEIGHTS).hexdigest()
    assert answer.headers["ETag"] == answer.headers["X-Linked-ETag"] == f'"{checksum}"'
    assert answer.headers["X-Linked-Size"] == answer.headers["Content-Length"] == str(len(WEIGHTS))
    assert answer.headers["X-Repo-Commit"] == get(f"{hub}/api/models/someone/model").json()["sha"]


def test_head_of_a_small_file_has_the_name_that_git_gives(hub):
    headers = requests.head(f"{hub}/someone/model/resolve/main/config.json", timeout=10).headers
    assert headers["ETag"].strip('"') == GIT_NAME and "X-Linked-Size" not in headers


@pytest.mark.parametrize(
    ("asked", "got"),
    [("bytes=100-199", slice(100, 200)), ("bytes=10000-", slice(10000, None)), ("bytes=-7", slice(-7, None))],
)
def test_a_part_of_a_file(hub, asked, got):
    answer = get(f"{hub}/someone/model/resolve/main/sub/weights.safetensors", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (206, WEIGHTS[got])
    assert answer.headers["Content-Range"].endswith(f"/{len(WEIGHTS)}")


def test_a_part_behind_the_end(hub):
    assert get(f"{hub}/someone/model/resolve/main/config.json", headers={"Range": "bytes=3-"}).status_code == 416


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("api/models/someone/else", "RepoNotFound"),
        ("api/models/someone/model/revision/v1", "RevisionNotFound"),
        ("api/models/someone/model/tree/v1", "RevisionNotFound"),
        ("someone/else/resolve/main/config.json", "RepoNotFound"),
        ("someone/model/resolve/0000000000000000000000000000000000000000/config.json", "RevisionNotFound"),
        ("someone/model/resolve/main/other.json", "EntryNotFound"),
        ("someone/model/resolve/main/sub", "EntryNotFound"),
        ("someone/model/resolve/main/%2e%2e/%2e%2e/%2e%2e/secret", "EntryNotFound"),
        ("api/models/%2e%2e/files", "RepoNotFound"),
        ("files/b.whl", "EntryNotFound"),
    ],
)
def test_what_is_not_there(hub, path, code):
    answer = get(f"{hub}/{path}")
    assert (answer.status_code, answer.headers.get("X-Error-Code")) == (404, code)


def test_plain_file(hub):
    answer = get(f"{hub}/files/a.whl")
    assert answer.content == b"wheel" and answer.headers["ETag"] == f'"{hashlib.sha256(b"wheel").hexdigest()}"'


def test_the_revision_follows_names_and_contents_only(hub, root):
    def revision():
        return get(f"{hub}/api/models/someone/model").json()["sha"]

    config = root / "repos/someone/model/config.json"
    before = revision()
    config.touch()
    assert revision() == before
    config.write_text("{ }\n", encoding="utf-8")
    changed = revision()
    assert changed != before
    config.rename(config.with_name("other.json"))
    assert revision() not in (before, changed)
