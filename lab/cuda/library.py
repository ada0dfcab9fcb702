# SPDX-License-Identifier: GPL-3.0-or-later
"""Libraries that have the names another library asks for, and do nothing.

An empty library would not do: torch's are loaded with all their names resolved at once."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

from .. import shell

PARTS = ("libtorch_cuda.so", "libtorch_cuda_linalg.so", "libtorch_python.so")


def make(root: Path, torch: Path, wanted: dict[str, str], folder: str) -> None:
    """Library to the prefix of its names, for all that torch's parts ask for; compiled inside of `root`."""
    work = root / "tmp/standin"
    work.mkdir()
    with zipfile.ZipFile(torch) as archive:
        for part in PARTS:
            with archive.open(f"torch/lib/{part}") as source, (work / part).open("wb") as sink:
                shutil.copyfileobj(source, sink)
    parts = [f"/tmp/standin/{part}" for part in PARTS]
    listed = shell.run("chroot", root, "nm", "--dynamic", "--undefined-only", *parts)
    for name, prefix in wanted.items():
        code, versions = sources(names(listed, prefix), name)
        (work / "standin.c").write_text(code, encoding="utf-8")
        (work / "standin.map").write_text(versions, encoding="utf-8")
        shell.run(
            "chroot",
            root,
            "gcc",
            "-shared",
            "-fPIC",
            "-fno-builtin",
            "-nostdlib",
            f"-Wl,-soname,{name}",
            "-Wl,--version-script=/tmp/standin/standin.map",
            "-o",
            f"/{folder}/{name}",
            "/tmp/standin/standin.c",
        )
    shutil.rmtree(work)


def names(listed: str, prefix: str) -> list[str]:
    """Names with a prefix in the output of nm, without their versions."""
    return sorted(set(re.findall(rf"^ +U (p?{prefix}\w+)", listed, re.MULTILINE)))


def sources(functions: list[str], version: str) -> tuple[str, str]:
    """C source and version script: what torch asks for carries the library's own name as its version."""
    return "".join(f"void {name}(void) {{}}\n" for name in functions), f"{version} {{ global: *; }};\n"
