# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes roles/load_test/files/requirements.txt: the load generator's packages, with the checksums of all their files.

`python -m scripts.lock_load_test guidellm==0.8.1 jinja2` asks uv, for Python 3.11 on aarch64 and x86_64, which must
agree. torch is left out: gigabytes for a loop over rows, which roles/load_test/files/generate.py has itself. guidellm
uses jinja2, which comes with torch.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "roles/load_test/files/requirements.txt"
HEAD = """\
# SPDX-License-Identifier: GPL-3.0-or-later
# Made by `python -m scripts.lock_load_test {asked}`; do not edit.
"""
MACHINES = ("aarch64-manylinux_2_35", "x86_64-manylinux_2_35")
# uv takes this in the place of what a package asks for; no Python fulfils it.
WITHOUT = "torch ; python_version < '3'\n"


def resolved(machine: str, asked: list[str]) -> str:
    """The lock for one machine."""
    command = [str(Path(sys.executable).parent / "uv"), "pip", "compile", "--no-config", "--quiet", "--generate-hashes"]
    command += ["--only-binary", ":all:", "--no-header", "--no-annotate"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as without:
        without.write(WITHOUT)
        without.flush()
        command += ["--python-platform", machine, "--python-version", "3.11", "--override", without.name, "-"]
        return subprocess.run(command, input="\n".join(asked), check=True, stdout=subprocess.PIPE, text=True).stdout


def text(found: list[str], asked: list[str]) -> str:
    """The requirements file; machines that need other packages are a mistake that is told."""
    if len(set(found)) != 1:
        sys.exit(f"lock: the packages are not the same on {' and '.join(MACHINES)}.")
    return HEAD.format(asked=" ".join(asked)) + found[0]


if __name__ == "__main__":
    TARGET.write_text(text([resolved(machine, sys.argv[1:]) for machine in MACHINES], sys.argv[1:]), encoding="utf-8")
