# SPDX-License-Identifier: GPL-3.0-or-later
"""The base image of the nodes: Debian 12 with cloud-init, and what Lambda's images carry."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from .. import shell
from ..config import Paths
from ..errors import LabError
from . import host

SYSTEM = (
    "systemd systemd-sysv dbus libpam-systemd openssh-server python3 python3-apt sudo iproute2 ca-certificates "
    "iputils-ping procps kmod netbase"
)
# What a Lambda Stack image has anyway. What the roles install is not in here.
STACK = "cloud-init build-essential git curl gnupg rsync python3-debian"

CLOUD_CONFIG = """\
datasource_list: [NoCloud]
network: {config: disabled}
manage_etc_hosts: false
preserve_hostname: false
ssh_pwauth: false
system_info:
  default_user:
    name: ubuntu
    gecos: Ubuntu
    groups: [adm, sudo]
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
    shell: /bin/bash
    lock_passwd: true
cloud_init_modules: [seed_random, bootcmd, write-files, set_hostname, update_hostname, ca-certs, users-groups, ssh]
cloud_config_modules: [set-passwords, timezone, runcmd]
cloud_final_modules:
  [package-update-upgrade-install, scripts-vendor, scripts-per-once, scripts-per-boot, scripts-per-instance,
   scripts-user, final-message]
"""


def build(paths: Paths, progress: Callable[[str], None]) -> Path:
    """Folder of the image; made once, and again when its recipe changes."""
    sources, settings = host.debian_sources(), host.apt_settings()
    image = paths.cache / f"base-{recipe(sources, settings)}"
    if image.exists():
        return image
    unfinished = paths.cache / "base-unfinished"
    remove(unfinished)
    debs = paths.cache / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    paths.logs.mkdir(parents=True, exist_ok=True)
    log = paths.logs / "base-image.log"
    progress("base image: fetching and unpacking Debian 12 (about 3 minutes, once)")
    shell.run(
        "debootstrap",
        "--variant=minbase",
        f"--cache-dir={debs}",
        f"--include={SYSTEM.replace(' ', ',')}",
        "bookworm",
        unfinished,
        host.mirror(sources),
        log=log,
    )
    configure(unfinished, sources, settings)
    progress("base image: installing cloud-init and compilers")
    install(unfinished, debs, log)
    finish(unfinished)
    unfinished.rename(image)
    return image


def recipe(sources: str, settings: str) -> str:
    """Changes with everything that decides what is in the image."""
    parts = [
        *(Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("image.py", "nvidia_smi.py")),
        sources,
        settings,
        str(host.pip_settings()),
        *(path.read_text(encoding="utf-8") for path in host.certificates()),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def configure(root: Path, sources: str, settings: str) -> None:
    """Package sources, certificates and pip as on this machine."""
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    write(root / "etc/apt/sources.list.d/debian.sources", sources)
    write(root / "etc/apt/apt.conf.d/90machine", settings + 'APT::Install-Recommends "false";\n')
    for path in host.certificates():
        shutil.copy(path, root / "usr/local/share/ca-certificates" / path.name)
    pip = host.pip_settings() | {"cache-dir": "/var/cache/pip"}
    write(root / "etc/pip.conf", "[global]\n" + "".join(f"{name} = {value}\n" for name, value in pip.items()))
    write(root / "usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n", 0o755)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")


def install(root: Path, debs: Path, log: Path) -> None:
    """Packages and the indexes of the package sources, as fresh as the image."""
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        env.pop(name, None)
    archives = root / "var/cache/apt/archives"
    for deb in debs.glob("*.deb"):
        if not (archives / deb.name).exists():
            os.link(deb, archives / deb.name)
    shell.run("chroot", root, "update-ca-certificates", log=log, env=env)
    shell.run("chroot", root, "apt-get", "update", log=log, env=env)
    shell.run("chroot", root, "apt-get", "-y", "upgrade", log=log, env=env)
    shell.run("chroot", root, "apt-get", "-y", "install", *STACK.split(), log=log, env=env)
    for deb in archives.glob("*.deb"):
        if not (debs / deb.name).exists():
            shutil.copy(deb, debs / deb.name)
        deb.unlink()


def finish(root: Path) -> None:
    """What makes it an image: no identity, cloud-init's settings, the GPU's tool."""
    (root / "usr/sbin/policy-rc.d").unlink()
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    write(root / "etc/machine-id", "")
    write(root / "etc/cloud/cloud.cfg.d/90-node.cfg", CLOUD_CONFIG)
    smi = root / "usr/bin/nvidia-smi"
    shutil.copy(Path(__file__).with_name("nvidia_smi.py"), smi)
    smi.chmod(0o755)
    (root / "var/cache/pip").mkdir(exist_ok=True)
    # Units that need a kernel of their own.
    for unit in (
        "systemd-networkd.service",
        "systemd-resolved.service",
        "systemd-timesyncd.service",
        "sys-kernel-debug.mount",
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
    ):
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")


def remove(image: Path) -> None:
    """Delete an image folder. It must hold no mount: deleting through one would reach this machine."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()]
    inside = sorted((mount for mount in mounts if mount.startswith(f"{image}/")), reverse=True)
    for mount in inside:
        shell.run("umount", mount)
    if image.exists():
        shutil.rmtree(image)
    if image.exists():
        raise LabError(f"The unfinished image {image} could not be removed: remove it by hand.")


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """A file with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
