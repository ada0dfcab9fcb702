# SPDX-License-Identifier: GPL-3.0-or-later
"""Unit tests, integration tests and sanity on every ansible-core that `requires_ansible` allows, with a Python that it
wants: `python -m scripts.matrix [STEP..] [ANSIBLE_CORE..]`, as root on Debian 12. The rows are in matrix.txt; Debian 13
is a root, made once."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import subprocess
import sys
from pathlib import Path

from lab import shell
from lab.config import REPOSITORY, Paths
from lab.errors import LabError
from lab.nodes import host, image

STEPS = ("unit", "integration", "sanity")
PACKAGES = "ca-certificates curl g++ gcc git libc6-dev make openssh-client python3-venv"
# The copy's place in a root: ansible-test wants such a path.
PLACE = "/matrix/ansible_collections/gh200/inference"


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of matrix.txt."""

    core: str
    python: str
    debian: int

    @property
    def name(self) -> str:
        """As its folder and its log are named."""
        return f"{self.core}-py{self.python}"


def rows(text: str) -> list[Row]:
    """What matrix.txt says; raises ValueError for a line with other than three words."""
    lines = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [Row(core, python, int(debian)) for core, python, debian in lines]


def debian13(paths: Paths) -> Path:
    """A Debian 13 with a compiler, git and Python 3.13."""
    name = f"debian13-{hashlib.sha256(PACKAGES.encode()).hexdigest()[:8]}"
    root = paths.cache / name
    if root.exists():
        return root
    print("matrix: Debian 13 (a minute, once)", flush=True)
    unfinished, debs, log = paths.cache / f"{name}-unfinished", paths.cache / "debs13", paths.logs / "debian13.log"
    image.remove(unfinished)
    debs.mkdir(parents=True, exist_ok=True)
    mirror = host.mirror(host.debian_sources())
    shell.run(
        "debootstrap",
        "--variant=minbase",
        f"--cache-dir={debs}",
        f"--include={PACKAGES.replace(' ', ',')}",
        "trixie",
        unfinished,
        mirror,
        log=log,
    )
    sources = f"Types: deb\nURIs: {mirror}\nSuites: trixie\nComponents: main\n"
    image.configure(unfinished, sources, host.apt_settings())
    shell.run("chroot", unfinished, "update-ca-certificates", log=log)
    unfinished.rename(root)
    return root


def copy(there: Path) -> None:
    """What git knows of this checkout, and what it would add, as a repository of its own."""
    image.remove(there)
    there.mkdir(parents=True)
    listed = shell.run("git", "-C", REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    names = "\0".join(name for name in listed.split("\0") if (REPOSITORY / name).is_file())
    archive = there.with_suffix(".tar")
    shell.run(
        "tar", "--create", f"--directory={REPOSITORY}", "--null", "--files-from=-", f"--file={archive}", stdin=names
    )
    shell.run("tar", "--extract", f"--directory={there}", f"--file={archive}")
    archive.unlink()
    shell.run("git", "-C", there, "init", "--quiet")
    shell.run("git", "-C", there, "add", "--all")


def command(row: Row, there: Path, paths: Paths, steps: tuple[str, ...]) -> list[str]:
    """What runs the row, here or in Debian 13."""
    # Tests interrupt what they start, which a shell's background job would never notice.
    script = ["env", "--default-signal=INT", "bash", "scripts/matrix_row.sh", row.core, *steps]
    if row.debian == 12:
        return ["env", f"--chdir={there}", f"PYTHON=/usr/bin/python{row.python}", *script]
    pip = paths.cache / "pip"
    pip.mkdir(parents=True, exist_ok=True)
    folders = [f"--bind-ro={folder}" for folder in host.local_folders(host.pip_settings())]
    return [
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        "--as-pid2",
        f"--directory={debian13(paths)}",
        "--ephemeral",
        f"--bind={there}:{PLACE}",
        f"--bind={pip}:/var/cache/pip",
        *folders,
        f"--chdir={PLACE}",
        "--setenv=LC_ALL=C.UTF-8",
        "--",
        *script,
    ]


def run(row: Row, paths: Paths, steps: tuple[str, ...]) -> dict[str, str]:
    """Step to what became of it, in a word and with pytest's count; what is missing never began."""
    there = paths.root / "matrix" / row.name / "ansible_collections/gh200/inference"
    copy(there)
    log = paths.logs / f"matrix-{row.name}.log"
    print(f"matrix: ansible-core {row.core}, Python {row.python}, Debian {row.debian}; log: {log}", flush=True)
    with log.open("wb") as sink:
        argv = command(row, there, paths, steps)
        subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, check=False)
    return outcome(log.read_text(encoding="utf-8", errors="replace"))


def outcome(text: str) -> dict[str, str]:
    """What a log says of each step."""
    found, count = {}, ""
    for line in text.splitlines():
        summary = re.fullmatch(r"=+ (.*(?:passed|failed|error).*) in .*=+", line)
        if summary:
            count = f" ({summary.group(1)})"
        step = re.fullmatch(r"(\w+): (passed|failed)", line)
        if step:
            found[step.group(1)] = step.group(2) + count
            count = ""
    return found


def main(words: list[str]) -> int:
    """0 if everything passed everywhere."""
    cores = [word for word in words if word[0].isdigit()]
    wanted, paths, good = tuple(word for word in words if word not in cores) or STEPS, Paths(), True
    paths.logs.mkdir(parents=True, exist_ok=True)
    try:
        for row in rows(Path(__file__).with_name("matrix.txt").read_text(encoding="utf-8")):
            if cores and row.core not in cores:
                continue
            seen = run(row, paths, wanted)
            for step in wanted:
                print(f"matrix:   {step}: {seen.get(step, 'did not begin')}", flush=True)
                good = good and seen.get(step, "").startswith("passed")
    except LabError as error:
        print(f"matrix: {error}", file=sys.stderr)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
