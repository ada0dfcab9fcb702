# SPDX-License-Identifier: GPL-3.0-or-later
"""The contributor's door: a Debian 12 with nothing but what CONTRIBUTING names, an ordinary user, a checkout in a
folder whose name has a blank, and `make` there. Run as root: `python -m scripts.clean_root [TARGET..]`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from lab import shell
from lab.config import REPOSITORY, Paths
from lab.errors import LabError
from lab.nodes import host, image

# The same words are in CONTRIBUTING.md.
PACKAGES = "ca-certificates curl g++ git make openssh-client python3-venv"
USER = "contributor"
CHECKOUT = f"/home/{USER}/a checkout"


def install(root: Path, debs: Path, log: Path) -> None:
    """Debian 12 with these packages, sources and certificates as on this machine, and the user."""
    root.chmod(0o755)
    debs.mkdir(parents=True, exist_ok=True)
    sources = host.debian_sources()
    shell.run(
        "debootstrap",
        "--variant=minbase",
        f"--cache-dir={debs}",
        f"--include={PACKAGES.replace(' ', ',')}",
        "bookworm",
        root,
        host.mirror(sources),
        log=log,
    )
    image.configure(root, sources, host.apt_settings())
    shell.run("chroot", root, "update-ca-certificates", log=log)
    shell.run("chroot", root, "useradd", "--create-home", "--shell", "/bin/bash", USER, log=log)


def copy(root: Path) -> None:
    """What git knows of this checkout, and what it would add, as a repository of the user's."""
    listed = shell.run("git", "-C", REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    names = "\0".join(name for name in listed.split("\0") if (REPOSITORY / name).is_file())
    there = root / CHECKOUT.removeprefix("/")
    there.mkdir()
    shell.run(
        "tar",
        "--create",
        f"--directory={REPOSITORY}",
        "--null",
        "--files-from=-",
        f"--file={root}/checkout.tar",
        stdin=names,
    )
    shell.run("tar", "--extract", f"--directory={there}", f"--file={root}/checkout.tar")
    (root / "checkout.tar").unlink()
    shell.run("chroot", root, "chown", "--recursive", f"{USER}:", CHECKOUT)


def make(root: Path, targets: list[str]) -> int:
    """`make` as the user in the root, with this machine's network; its status."""
    folders = [f"--bind-ro={folder}" for folder in host.local_folders(host.pip_settings())]
    script = 'git init --quiet && git add --all && exec make "$@"'
    command = [
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        "--as-pid2",
        f"--directory={root}",
        f"--user={USER}",
        f"--chdir={CHECKOUT}",
        "--setenv=LC_ALL=C.UTF-8",
        *folders,
        "--",
        "bash",
        "-c",
        script,
        "make",
        *targets,
    ]
    return subprocess.run(command, check=False).returncode


def main(targets: list[str]) -> int:
    """Status of `make` in a root that is gone afterwards, whatever happens."""
    root = Path(tempfile.mkdtemp(prefix="door-root-"))
    try:
        print(f"door: Debian 12 in {root} (a minute; as much again for the Python environment)", flush=True)
        log = Paths().logs / "door.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        install(root, Paths().cache / "debs", log)
        copy(root)
        return make(root, targets or ["venv", "unit"])
    except LabError as error:
        print(f"door: {error}", file=sys.stderr)
        return 1
    finally:
        image.remove(root)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
