# SPDX-License-Identifier: GPL-3.0-or-later
"""The first root of a virtual machine: busybox, the modules for its disk and network, and a script of our own.

What belongs to one machine alone (its name, keys, address) comes in a second archive behind the first, from which the
kernel unpacks on: the disk's image has no identity.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .. import shell
from ..errors import LabError

MODULES = ("virtio_pci", "virtio_blk", "virtio_net", "ext4")
INIT = """\
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in $(cat /modules/order); do insmod /modules/$module; done
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
. /machine
ip link set lo up
ip link set eth0 up
ip address add $address/24 dev eth0
ip route add default via $gateway
mount -t ext4 /dev/vda /newroot || exec sh
cp -a /seed/. /newroot/
umount /proc
mount --move /sys /newroot/sys
mount --move /dev /newroot/dev
exec switch_root /newroot /sbin/init
"""


def build(root: Path, version: str, busybox: Path, target: Path) -> None:
    """The part that all machines share, from the modules of that kernel below `root`."""
    folder = target.with_suffix(".files")
    for name in ("bin", "dev", "modules", "newroot", "proc", "seed", "sys"):
        (folder / name).mkdir(parents=True)
    shutil.copy(busybox, folder / "bin/busybox")
    (folder / "init").write_text(INIT, encoding="utf-8")
    (folder / "init").chmod(0o755)
    modules = ordered(root, version)
    for path in modules:
        shutil.copy(root / path, folder / "modules" / Path(path).name)
    (folder / "modules/order").write_text("".join(f"{Path(path).name}\n" for path in modules), encoding="utf-8")
    archive(folder, target)
    shutil.rmtree(folder)


def ordered(root: Path, version: str) -> list[str]:
    """Files of the modules, each after those that it needs; one that is part of the kernel is left out."""
    found: dict[str, None] = {}
    for module in MODULES:
        shown = shell.run("chroot", root, "/sbin/modprobe", "--set-version", version, "--show-depends", module)
        for line in shown.splitlines():
            if line.startswith("insmod "):
                found[line.split()[1].lstrip("/")] = None
    return list(found)


def seed(files: dict[str, tuple[str, int]], machine: dict[str, str], target: Path, shared: Path) -> None:
    """The whole initrd of one machine: the shared part, then `files` (path to text and mode) and its settings."""
    folder = target.with_suffix(".files")
    if folder.exists():
        shutil.rmtree(folder)
    for name, (text, mode) in files.items():
        path = folder / "seed" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
    settings = "".join(f"{name}={value}\n" for name, value in machine.items())
    (folder / "machine").write_text(settings, encoding="utf-8")
    own = target.with_suffix(".own")
    archive(folder, own)
    target.write_bytes(shared.read_bytes() + own.read_bytes())
    own.unlink()
    shutil.rmtree(folder)


def archive(folder: Path, target: Path) -> None:
    """As the kernel wants it: cpio's "newc", here without compression."""
    names = "\0".join(str(path.relative_to(folder)) for path in sorted(folder.rglob("*")))
    with target.open("wb") as sink:
        made = subprocess.run(
            ["cpio", "--null", "--create", "--format=newc", "--owner=0:0", "--quiet"],
            input=names.encode(),
            stdout=sink,
            stderr=subprocess.PIPE,
            cwd=folder,
            check=False,
        )
    if made.returncode:
        raise LabError(f"cpio could not write {target}: {made.stderr.decode(errors='replace').strip()}.")
