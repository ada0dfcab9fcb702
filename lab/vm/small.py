# SPDX-License-Identifier: GPL-3.0-or-later
"""A root for another architecture, as near to a rented instance as Debian's mirror allows: a user `ubuntu` who may
become root, ssh, Python for Ansible, and no compiler. Ubuntu's archive is not asked: whoever has a Debian mirror need
not reach it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import shell
from ..config import Paths
from ..nodes import host
from ..nodes import image as base
from . import foreign, image
from .target import Target

SYSTEM = "systemd systemd-sysv dbus libpam-systemd openssh-server python3 python3-apt sudo iproute2 procps kmod netbase"
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
USER = "ubuntu"
# Of those that this QEMU knows the nearest to a GH200's Neoverse V2.
PROCESSOR = "neoverse-n1"
# Timers that would begin to work a quarter of an hour after the boot.
MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "systemd-timesyncd.service", "e2scrub_all.timer")


@dataclass(frozen=True)
class Small(Target):
    """A machine made of such a root."""

    def base(self, paths: Paths, progress: Callable[[str], None]) -> Path:
        """Folder with the root that the packages go into."""
        return build(paths, self.architecture, progress)


AARCH64 = Small(
    architecture="aarch64",
    emulator=("qemu-system-aarch64", "-accel", "tcg,thread=multi,tb-size=512", "-machine", "virt", "-cpu", PROCESSOR),
    console="ttyAMA0",
    kernel_package="linux-image-cloud-arm64",
    packages=(),
    memory_mib=2048,
    cores=2,
)


def build(paths: Paths, architecture: str, progress: Callable[[str], None]) -> Path:
    """Folder of the root; made once, and again when its recipe changes. What is of this architecture runs by itself."""
    sources, settings = host.debian_sources(), host.apt_settings()
    root = paths.cache / f"small-{architecture}-{recipe(sources, settings)}"
    if root.exists():
        return root
    unfinished = paths.cache / f"small-{architecture}-unfinished"
    base.remove(unfinished)
    debian = foreign.DEBIAN[architecture]
    debs = paths.cache / f"debs-{debian}"
    for folder in (debs, paths.logs):
        folder.mkdir(parents=True, exist_ok=True)
    log = paths.logs / "small-image.log"
    progress(f"root of Debian 12 for {architecture}: its own programs configure it, emulated (some 5 minutes, once)")
    with foreign.runnable(architecture):
        options = ["--variant=minbase", f"--arch={debian}", f"--cache-dir={debs}"]
        include = f"--include={SYSTEM.replace(' ', ',')}"
        shell.run("debootstrap", *options, include, "bookworm", unfinished, host.mirror(sources), log=log)
        configure(unfinished, sources, settings)
        finish(unfinished, log)
    unfinished.rename(root)
    return root


def recipe(sources: str, settings: str) -> str:
    """Changes with everything that decides what is in the root."""
    parts = [
        Path(__file__).read_text(encoding="utf-8"),
        Path(base.__file__).read_text(encoding="utf-8"),
        sources,
        settings,
        str(pip_settings()),
        *(path.read_text(encoding="utf-8") for path in host.certificates()),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def pip_settings() -> dict[str, str]:
    """Those of this machine, less its own folders, which no virtual machine sees."""
    kept = {}
    for name, value in host.pip_settings().items():
        words = [word for word in value.split() if not word.startswith("file:")]
        # A path among the places to look for packages; certificates are at theirs on both.
        words = [word for word in words if name == "cert" or not word.startswith("/")]
        if words:
            kept[name] = " ".join(words)
    return kept


def configure(root: Path, sources: str, settings: str) -> None:
    """Package sources, certificates and pip as on this machine."""
    (root / "usr/local/share/ca-certificates").mkdir(parents=True, exist_ok=True)
    base.configure(root, sources, settings)
    # For apt, until the package makes its own.
    base.write(root / CERTIFICATES, ("/" / CERTIFICATES).read_text(encoding="utf-8"))
    lines = "".join(f"{name} = {value}\n" for name, value in pip_settings().items())
    base.write(root / "etc/pip.conf", f"[global]\n{lines}")


def finish(root: Path, log: Path) -> None:
    """What was mended since the release, certificates, the user, and no identity."""
    # The certificates last, for they take longest, and once is enough.
    for command in (["update"], ["-y", "upgrade"], ["-y", "install", "ca-certificates"]):
        image.inside(root, log, "apt-get", *command)
    image.inside(root, log, "useradd", "--create-home", "--shell", "/bin/bash", USER)
    base.write(root / "etc/sudoers.d/90-ubuntu", f"{USER} ALL=(ALL) NOPASSWD:ALL\n", 0o440)
    # The keys come with the machine's identity, where no home belongs to anybody yet.
    base.write(root / "etc/ssh/sshd_config.d/keys.conf", "AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/keys/%u\n")
    (root / "usr/sbin/policy-rc.d").unlink()
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    base.write(root / "etc/machine-id", "")
    shutil.rmtree(root / "var/cache/apt/archives")
    (root / "var/cache/apt/archives/partial").mkdir(parents=True)
    for unit in MASKED:
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
