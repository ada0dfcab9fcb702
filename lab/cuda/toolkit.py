# SPDX-License-Identifier: GPL-3.0-or-later
"""CUDA 12.4 as Debian packages it, in the layout of the rented image: nvcc in /usr/bin, headers in
/usr/include, libraries in /usr/lib/<multiarch>, nothing in /usr/local. Bookworm has 11.8 only, so the
packages of the release after it are unpacked into a folder that nodes lay over their base image."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from .. import shell
from ..config import Paths
from ..nodes import host

RELEASE = "trixie"
PACKAGES = (
    "nvidia-cuda-toolkit",
    "nvidia-cuda-dev",
    "libcudart12",
    "libcupti12",
    "libnvrtc12",
    "libnvtoolsext1",
    "libcub-dev",
    "libthrust-dev",
    "libcu++-dev",
)
# Static libraries that nobody links, tools that nobody starts: 2.5 GB less.
LEFT_OUT = (
    "./usr/share/*",
    "libcu[bfs]*_static*.a",
    "libcurand_static.a",
    "libnpp*",
    "libnv*_static.a",
    "libcudacore.a",
    "libcupti_static.a",
    "libnvperf*",
    "compute-sanitizer",
    "nvdisasm",
)
UNPACK = 'set -o pipefail; dpkg-deb --fsys-tarfile "$1" | tar --extract --directory "$2" --no-same-owner "${@:3}"'
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def build(paths: Paths, progress: Callable[[str], None]) -> Path:
    """Folder with the tree; fetched once. The packages themselves are not kept."""
    recipe = hashlib.sha256(repr((RELEASE, PACKAGES, LEFT_OUT)).encode()).hexdigest()[:12]
    tree = paths.cache / "cuda" / f"toolkit-{recipe}"
    if tree.exists():
        return tree
    progress("CUDA 12.4: fetching 1 GB of Debian packages (once)")
    unfinished = paths.cache / "cuda" / "toolkit-unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    debs, root = unfinished / "debs", unfinished / "root"
    paths.logs.mkdir(parents=True, exist_ok=True)
    log = paths.logs / "cuda-toolkit.log"
    download(unfinished / "apt", debs, host.mirror(host.debian_sources()), log)
    root.mkdir()
    for deb in sorted(debs.glob("*.deb")):
        progress(f"CUDA 12.4: unpacking {deb.name.partition('_')[0]}")
        shell.run("bash", "-c", UNPACK, "unpack", deb, root, *(f"--exclude={pattern}" for pattern in LEFT_OUT), log=log)
    root.rename(tree)
    shutil.rmtree(unfinished)
    return tree


def download(folder: Path, debs: Path, mirror: str, log: Path) -> None:
    """By apt with lists of its own, so that this machine never sees the other release; signatures are checked."""
    for name in ("lists/partial", "archives/partial", "sources.list.d"):
        (folder / name).mkdir(parents=True)
    debs.mkdir()
    (folder / "status").touch()
    source = f"deb [signed-by={KEYRING}] {mirror} {RELEASE} main contrib non-free\n"
    (folder / "sources.list").write_text(source, encoding="utf-8")
    places = {
        "Dir::Etc::SourceList": "sources.list",
        "Dir::Etc::SourceParts": "sources.list.d",
        "Dir::State": "",
        "Dir::State::Lists": "lists",
        "Dir::State::Status": "status",
        "Dir::Cache": "",
        "Dir::Cache::Archives": "archives",
    }
    options = [f"--option={name}={folder / place}" for name, place in places.items()]
    options += ["--option=APT::Sandbox::User=root", "--option=Acquire::Languages=none", "--option=Acquire::Retries=3"]
    shell.run("apt-get", *options, "update", log=log)
    shell.run("env", f"--chdir={debs}", "apt-get", *options, "download", *PACKAGES, log=log)
