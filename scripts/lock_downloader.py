# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes roles/hf_models/files/requirements.txt: the downloader's packages, whole, with the checksums of the wheels for
both machines. `python -m scripts.lock_downloader huggingface_hub==1.5.0` asks pip, which takes a minute."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "roles/hf_models/files/requirements.txt"
MACHINES = ("x86_64", "aarch64")
PYTHON = "3.11"
GLIBC = range(17, 36)  # 2.17 to 2.35, that of Ubuntu 22.04
HEAD = """\
# SPDX-License-Identifier: GPL-3.0-or-later
# Made by `python -m scripts.lock_downloader {asked}`, for Python {python} on {machines}.
"""


def resolved(machine: str, asked: list[str]) -> dict[str, set[str]]:
    """NAME==VERSION to the checksums of the wheels that pip would install there."""
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in GLIBC]
    platforms += [f"--platform=manylinux2014_{machine}", f"--platform=linux_{machine}"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report=-"]
    with tempfile.TemporaryDirectory() as nowhere:
        command += [f"--target={nowhere}", f"--python-version={PYTHON}", "--only-binary=:all:", *platforms, *asked]
        report = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    found = {}
    for item in report["install"]:
        name = item["metadata"]["name"].lower().replace("_", "-")
        hashes = item["download_info"]["archive_info"]["hashes"]
        found[f"{name}=={item['metadata']['version']}"] = {f"sha256:{hashes['sha256']}"}
    return found


def text(found: list[dict[str, set[str]]], asked: list[str]) -> str:
    """A requirements file; a package that only one machine needs is a mistake that is told."""
    pins = set().union(*found)
    for pin in sorted(pins):
        if not all(pin in one for one in found):
            sys.exit(f"lock: {pin} is not the same on {' and '.join(MACHINES)}.")
    lines = [HEAD.format(asked=" ".join(asked), python=PYTHON, machines=" and ".join(MACHINES))]
    for pin in sorted(pins):
        hashes = sorted(set().union(*(one[pin] for one in found)))
        lines.append(" \\\n".join([pin, *(f"    --hash={one}" for one in hashes)]) + "\n")
    return "".join(lines)


if __name__ == "__main__":
    TARGET.write_text(text([resolved(machine, sys.argv[1:]) for machine in MACHINES], sys.argv[1:]), encoding="utf-8")
