# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of another architecture, run on this machine by qemu-user: what makes an image is its own apt and dpkg."""

from __future__ import annotations

import contextlib
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from .. import shell
from ..errors import LabError

# What Debian calls them.
DEBIAN = {"aarch64": "arm64", "x86_64": "amd64"}
KERNEL = Path("/proc/sys/fs/binfmt_misc")
FORMATS = Path("/usr/lib/binfmt.d")


@contextlib.contextmanager
def runnable(architecture: str) -> Iterator[None]:
    """Within the block the kernel runs programs of `architecture`, below another root too. What was told to it for this
    is taken back; what others told it stays. LabError where it cannot be.
    """
    if architecture == platform.machine():
        yield
        return
    mounted = not (KERNEL / "register").exists()
    if mounted:
        shell.run("mount", "-t", "binfmt_misc", "binfmt_misc", KERNEL)
    own = KERNEL / f"gh200-{architecture}"
    try:
        if not (KERNEL / f"qemu-{architecture}").exists() and not own.exists():
            (KERNEL / "register").write_text(entry(architecture, own.name), encoding="ascii")
        yield
    finally:
        if own.exists():
            own.write_text("-1", encoding="ascii")
        if mounted:
            shell.run("umount", KERNEL)


def entry(architecture: str, name: str) -> str:
    """What Debian's package would tell the kernel at boot, under a name of our own. LabError without that package."""
    file = FORMATS / f"qemu-{architecture}.conf"
    try:
        text = file.read_text(encoding="ascii")
    except OSError as error:
        raise LabError(
            f"Programs for {architecture} cannot be run here, for there is no {file}: `make setup-vm` installs "
            "qemu-user-static, which has it."
        ) from error
    found = re.search(r"^:[^:]+(:M:.*)$", text, re.MULTILINE)
    if not found:
        raise LabError(f"{file} has no entry for the kernel: install Debian's qemu-user-static anew.")
    return f":{name}{found.group(1)}"
