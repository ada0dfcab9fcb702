# SPDX-License-Identifier: GPL-3.0-or-later
"""What virtual machines start from: the nodes' Debian with a kernel and NFS, as a disk, a kernel and an initrd."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import shell
from ..config import Paths
from ..nodes import image as base
from . import foreign, initrd
from .target import Target

DISK = "6G"
# Those that need udev, which is not there, or that would only make noise under emulation.
MASKED = ("getty@tty1.service", "systemd-random-seed.service", "man-db.timer")


@dataclass(frozen=True)
class Image:
    """The three files of an image, in a folder that is complete."""

    folder: Path

    @property
    def disk(self) -> Path:
        """ext4 in a sparse file."""
        return self.folder / "disk"

    @property
    def kernel(self) -> Path:
        """As Debian's package has it."""
        return self.folder / "vmlinuz"

    @property
    def initrd(self) -> Path:
        """The part that all machines share."""
        return self.folder / "initrd"


def build(paths: Paths, target: Target, progress: Callable[[str], None]) -> Image:
    """Made once, and again when the recipe or the base changes."""
    system = target.base(paths, progress)
    image = Image(paths.cache / f"vm-{recipe(system, target)}")
    if image.folder.exists():
        return image
    unfinished = Image(paths.cache / "vm-unfinished")
    base.remove(unfinished.folder)
    root, upper, work = (unfinished.folder / name for name in ("root", "upper", "work"))
    for folder in (root, upper, work):
        folder.mkdir(parents=True)
    log = paths.logs / "vm-image.log"
    paths.logs.mkdir(parents=True, exist_ok=True)
    wanted = ", ".join([*target.packages, "a kernel"])
    progress(f"image of the virtual machines ({target.architecture}): fetching {wanted}")
    shell.run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={system},upperdir={upper},workdir={work}", root)
    try:
        with foreign.runnable(target.architecture):
            if target.packages:
                fill(root, target, log)
            version, busybox = kernel(root, target, log)
            initrd.build(root, version, busybox, unfinished.initrd)
        finish(root, target.console)
        shell.run("mke2fs", "-q", "-t", "ext4", "-d", root, unfinished.disk, DISK)
    finally:
        shell.run("umount", root)
    busybox.unlink()
    for folder in (root, upper, work):
        shutil.rmtree(folder)
    unfinished.folder.rename(image.folder)
    return image


def recipe(system: Path, target: Target) -> str:
    """Changes with everything that decides what is in the image."""
    here = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("image.py", "initrd.py")]
    return hashlib.sha256("\0".join([*here, system.name, repr(target)]).encode()).hexdigest()[:12]


def fill(root: Path, target: Target, log: Path) -> None:
    """Packages, of which none starts anything."""
    base.write(root / "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
    inside(root, log, "apt-get", "update")
    inside(root, log, "apt-get", "-y", "install", *target.packages)
    inside(root, log, "apt-get", "clean")
    (root / "usr/sbin/policy-rc.d").unlink()


def kernel(root: Path, target: Target, log: Path) -> tuple[str, Path]:
    """Put the kernel, its modules and a busybox in their places, unconfigured: the disk needs no boot loader.

    The kernel's version, and the busybox.
    """
    needs = shell.run("chroot", root, "apt-cache", "depends", target.kernel_package)
    package = re.search(r"Depends: (linux-image-\S+)", needs)
    name = package.group(1) if package else target.kernel_package
    folder = root / "root/kernel"
    folder.mkdir()
    (root / "usr/lib/modules").mkdir(exist_ok=True)
    inside(root, log, "sh", "-c", f"cd /root/kernel && apt-get download {name} busybox-static")
    # Beside the root: unpacked over it, the package's /lib would take the place of the link to /usr/lib.
    for deb in folder.glob("*.deb"):
        shell.run("dpkg", "-x", deb, folder, log=log)
    version = name.removeprefix("linux-image-")
    busybox = root.parent / "busybox"
    shutil.move(folder / "bin/busybox", busybox)
    shutil.move(folder / f"boot/vmlinuz-{version}", root.parent / "vmlinuz")
    shutil.move(folder / f"lib/modules/{version}", root / f"usr/lib/modules/{version}")
    shutil.rmtree(folder)
    inside(root, log, "/sbin/depmod", version)
    return version, busybox


def finish(root: Path, console: str) -> None:
    """A disk that is the root and nothing else; who the machine is comes from its initrd."""
    base.write(root / "etc/fstab", "/dev/vda / ext4 defaults 0 0\n")
    base.write(root / "etc/cloud/cloud-init.disabled", "")
    base.write(root / "etc/ssh/sshd_config.d/vm.conf", "PermitRootLogin prohibit-password\nUseDNS no\n")
    for unit in (f"serial-getty@{console}.service", *MASKED):
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")


def inside(root: Path, log: Path, *argv: str) -> None:
    """Run a program of the image."""
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        env.pop(name, None)
    shell.run("chroot", root, *argv, log=log, env=env)
