# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds every pin of the role vllm_build to the checksums of its files: python -m scripts.lock [--check].

The pins are those of roles/vllm_build/defaults/main/pins.yml, which people change, and those that the lab raises; the
locks, with every file that the package index has of each version, are roles/vllm_build/files/locks/*.txt, which the
role installs from, and lab/engine/lock.txt, made by uv (tests/requirements.txt). A
version that has no wheel for Python 3.11 on aarch64 is an error. --check writes nothing, and tells whether pins and
locks agree.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from lab.engine import pins as lab_pins

ROLE = Path(__file__).resolve().parent.parent / "roles/vllm_build"
LOCKS = ROLE / "files/locks"
HEAD = (
    "# SPDX-License-Identifier: GPL-3.0-or-later\n"
    "# Made by `python -m scripts.lock` from defaults/main/pins.yml; do not edit.\n"
)
# What the GH200's image has: glibc 2.35.
PLATFORM = ["--python-platform", "aarch64-manylinux_2_35", "--python-version", "3.11"]
SETS = {"engine": "vllm_build_constraints", "tools": "vllm_build_tools", "lab": ""}


class Unfit(Exception):
    """Which pin cannot be locked, in one sentence."""


def pins(name: str) -> list[str]:
    """The pins of one set, each `name==version`."""
    if name == "lab":
        return lab_pins.raised()
    return yaml.safe_load((ROLE / "defaults/main/pins.yml").read_text(encoding="utf-8"))[SETS[name]]


def place(name: str) -> Path:
    """The lock of one set."""
    return lab_pins.LOCK if name == "lab" else LOCKS / f"{name}.txt"


def locked(text: str) -> dict[str, int]:
    """Each pin of a lock, and how many checksums it has."""
    joined = re.sub(r"\\\n", " ", text)
    found = (re.match(r"([a-z0-9-]+==\S+)\s(.*)", line) for line in joined.splitlines())
    return {match[1]: match[2].count("--hash=sha256:") for match in found if match}


def lock(wanted: list[str], form: str = "requirements.txt") -> str:
    """The lock of these pins, from the package index. Raises Unfit where one has no wheel for the platform."""
    command = [
        *(str(Path(sys.executable).parent / "uv"), "pip", "compile", "--no-config", "--quiet", "--no-deps"),
        *(
            "--generate-hashes",
            "--only-binary",
            ":all:",
            "--no-header",
            "--no-annotate",
            "--format",
            form,
            *PLATFORM,
            "-",
        ),
    ]
    done = subprocess.run(command, input="\n".join(wanted), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unfit(f"The pins could not be locked: {' '.join(done.stderr.split())[:600]}")
    return done.stdout


def main(check: bool) -> str | None:
    """None when pins and locks agree, else what to do."""
    for name in SETS:
        path = place(name)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(HEAD + lock(pins(name)), encoding="utf-8")
        have = locked(path.read_text(encoding="utf-8")) if path.exists() else {}
        odd = sorted(set(pins(name)) ^ set(have))
        if odd:
            return f"{path.name} and pins.yml differ in {', '.join(odd[:5])}: run `python -m scripts.lock`."
        bare = [pin for pin, count in have.items() if not count]
        if bare:
            return f"{path.name} has no checksum of {', '.join(bare[:5])}: run `python -m scripts.lock`."
        print(f"{path.name}: {len(have)} pins, {sum(have.values())} files")
    return None


if __name__ == "__main__":
    try:
        sys.exit(main("--check" in sys.argv[1:]))
    except (Unfit, OSError) as error:
        sys.exit(str(error))
