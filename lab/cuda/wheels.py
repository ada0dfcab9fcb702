# SPDX-License-Identifier: GPL-3.0-or-later
"""The Python packages of the CUDA lane: torch and CUTLASS as they are, and stand-ins for NVIDIA's
two gigabytes of libraries that torch asks for. A stand-in has a name, a version and nothing in it:
the libraries of these names come with the node's image."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from .. import shell
from ..config import Paths
from ..engine import wheel
from ..errors import LabError

TORCH, CUTLASS = "torch==2.5.1", "nvidia-cutlass==3.7.0.0"
# torch's wheel says manylinux1, whatever it needs.
WHEEL = ("--python-version=3.11", "--implementation=cp", "--platform=manylinux1_x86_64", "--only-binary=:all:")


def fetch(paths: Paths, progress: Callable[[str], None]) -> tuple[Path, Path]:
    """The wheels of torch and CUTLASS, in the cache."""
    folder = paths.cache / "cuda" / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    if not found(folder, TORCH) or not found(folder, CUTLASS):
        progress("CUDA 12.4: fetching torch and CUTLASS (911 MB, once)")
        unfinished = folder / "unfinished"
        pip = (sys.executable, "-m", "pip", "download", "--no-input", "--no-deps", "--no-cache-dir")
        shell.run(*pip, *WHEEL, f"--dest={unfinished}", TORCH, CUTLASS)
        for path in unfinished.iterdir():
            path.rename(folder / path.name)
        unfinished.rmdir()
    torch, cutlass = found(folder, TORCH), found(folder, CUTLASS)
    if torch is None or cutlass is None:
        raise LabError(
            f"pip fetched {TORCH} and {CUTLASS}, and {folder} has not both: remove that folder and try again."
        )
    return torch, cutlass


def found(folder: Path, requirement: str) -> Path | None:
    """The wheel of `NAME==VERSION`, if it is there."""
    name, _, version = requirement.partition("==")
    return next(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"), None)


def publish(paths: Paths, torch: Path) -> dict[str, tuple[str, str]]:
    """Put torch and the stand-ins where the hub serves files. Package to (file, sha256), torch first."""
    files = paths.hub / "files"
    files.mkdir(parents=True, exist_ok=True)
    served = {"torch": (torch.name, _digest_once(torch))}
    if not (files / torch.name).exists():
        os.link(torch, files / torch.name)
    for package, version in nvidia(torch):
        name, content = wheel.empty(package, f"{version}+standin", "A name for a library that the node has")
        (files / name).write_bytes(content)
        served[package] = name, hashlib.sha256(content).hexdigest()
    return served


def nvidia(torch: Path) -> list[tuple[str, str]]:
    """Name and version of NVIDIA's packages that a wheel of torch asks for."""
    with zipfile.ZipFile(torch) as archive:
        metadata = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
    return re.findall(r"^Requires-Dist: (nvidia-[a-z0-9-]+) *\(?==([0-9.]+)", text, re.MULTILINE)


def _digest_once(path: Path) -> str:
    """Of a file that never changes; reading torch takes seconds."""
    note = path.with_name(f"{path.name}.sha256")
    if not note.exists():
        with path.open("rb") as stream:
            note.write_text(hashlib.file_digest(stream, "sha256").hexdigest(), encoding="utf-8")
    return note.read_text(encoding="utf-8")
