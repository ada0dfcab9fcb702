# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository of the hub: plain files, and the revision that follows from them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def digests(path: Path, size: int, modified: int) -> tuple[str, str]:
    """sha256, and the name that git gives to the content."""
    content = path.read_bytes()
    return hashlib.sha256(content).hexdigest(), hashlib.sha1(
        b"blob %d\0" % size + content, usedforsecurity=False
    ).hexdigest()


def entry(path: Path, root: Path) -> dict:
    """A file as the hub lists it; large ones have `lfs`."""
    status = path.stat()
    sha256, git = digests(path, status.st_size, status.st_mtime_ns)
    name = path.relative_to(root).as_posix()
    listed = {"type": "file", "path": name, "rfilename": name, "size": status.st_size, "oid": git, "blobId": git}
    if path.suffix == ".safetensors":
        listed["lfs"] = {"oid": sha256, "sha256": sha256, "size": status.st_size, "pointerSize": 134}
    return listed


def entries(root: Path) -> list[dict]:
    """All files, sorted by path."""
    return [entry(path, root) for path in sorted(root.rglob("*")) if path.is_file()]


def sha256(path: Path) -> str:
    """Checksum of one file."""
    status = path.stat()
    return digests(path, status.st_size, status.st_mtime_ns)[0]


def revision(root: Path) -> str:
    """A commit: 40 hexadecimal digits over names and contents."""
    state = hashlib.sha1(usedforsecurity=False)
    for item in entries(root):
        state.update(f"{item['path']} {item['oid']}\n".encode())
    return state.hexdigest()
