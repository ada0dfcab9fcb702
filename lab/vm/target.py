# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of virtual machine: what they are made of, and what runs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..config import Paths
from ..nodes import image


@dataclass(frozen=True)
class Target:
    """`emulator`: the program with the arguments that make the machine; `console`: its first serial line."""

    architecture: str
    emulator: tuple[str, ...]
    console: str
    kernel_package: str
    packages: tuple[str, ...]
    memory_mib: int
    cores: int

    def base(self, paths: Paths, progress: Callable[[str], None]) -> Path:
        """Folder with the root that the packages go into."""
        return image.build(paths, progress)


NFS = Target(
    architecture="x86_64",
    emulator=("qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=256", "-machine", "q35", "-cpu", "max"),
    console="ttyS0",
    kernel_package="linux-image-cloud-amd64",
    # nfs-common is on every instance that has a share by NFS; the server's package is for the other of the pair.
    packages=("nfs-common", "nfs-kernel-server"),
    memory_mib=704,
    cores=1,
)
