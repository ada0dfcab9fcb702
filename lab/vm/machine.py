# SPDX-License-Identifier: GPL-3.0-or-later
"""One virtual machine: started, looked at, stopped.

Its process is known by the pid file that QEMU itself writes, and by the path of that file among its arguments: a run
that was killed at any point leaves nothing that the next does not find.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .. import shell
from ..errors import LabError
from . import initrd, network
from .image import Image
from .target import Target


@dataclass(frozen=True)
class Machine:
    """`folder` has all of it; `number` gives its address and the name of its tap."""

    folder: Path
    number: int

    @property
    def name(self) -> str:
        """Its host name."""
        return self.folder.name

    @property
    def address(self) -> str:
        """On the bridge."""
        return f"{network.NETWORK}.{10 + self.number}"

    @property
    def tap(self) -> str:
        """Its end on this machine."""
        return f"ghtap{self.number}"

    @property
    def endpoint(self) -> tuple[str, int]:
        """Where this machine reaches its sshd."""
        return self.address, 22

    def settings(self) -> dict[str, str]:
        """What its first root is told of the network."""
        return {"address": self.address, "gateway": network.GATEWAY}

    def attach(self) -> None:
        """Before it starts."""
        network.connect(self.tap)

    def detach(self) -> None:
        """After its end, also when it was never attached."""
        network.disconnect(self.tap)

    def netdev(self) -> str:
        """Its network, in QEMU's words."""
        return f"tap,id=net,ifname={self.tap},script=no,downscript=no"

    @property
    def console(self) -> Path:
        """What the kernel said."""
        return self.folder / "console.log"

    def pid(self) -> int | None:
        """Of its process, if that lives."""
        try:
            pid = int((self.folder / "pid").read_text(encoding="utf-8"))
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except (OSError, ValueError):
            return None
        return pid if str(self.folder / "pid") in arguments else None

    def start(self, target: Target, image: Image, files: dict[str, tuple[str, int]]) -> None:
        """Begin to boot, with a disk of its own over the image's."""
        self.stop()
        self.folder.mkdir(parents=True)
        own = {"etc/hostname": (f"{self.name}\n", 0o644)} | files
        initrd.seed(own, self.settings(), self.folder / "initrd", image.initrd)
        disk = self.folder / "disk.qcow2"
        shell.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", image.disk, "-F", "raw", disk)
        self.attach()
        # A session of its own: Ctrl-C at the terminal is not meant for it.
        with (self.folder / "qemu.log").open("ab") as log:
            subprocess.Popen(
                self._command(target, image, disk),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _command(self, target: Target, image: Image, disk: Path) -> list[str]:
        return [
            *target.emulator,
            *("-smp", str(target.cores), "-m", str(target.memory_mib), "-display", "none", "-nodefaults"),
            *("-pidfile", str(self.folder / "pid"), "-serial", f"file:{self.console}"),
            *("-kernel", str(image.kernel), "-initrd", str(self.folder / "initrd")),
            *("-append", f"console={target.console} quiet mitigations=off net.ifnames=0 random.trust_cpu=on"),
            *("-drive", f"file={disk},if=virtio,cache=unsafe"),
            *("-netdev", self.netdev()),
            *("-device", f"virtio-net-pci,netdev=net,mac=52:54:00:77:02:{self.number:02x}"),
        ]

    def answers(self) -> bool:
        """Whether its sshd greets."""
        try:
            with socket.create_connection(self.endpoint, timeout=1) as connection:
                connection.settimeout(5)
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def wait(self, seconds: int) -> None:
        """Until it can be reached by ssh."""
        deadline = time.monotonic() + seconds
        while not self.answers():
            # QEMU writes its pid file within its first second, and takes it along when it ends.
            if time.monotonic() > deadline:
                address, port = self.endpoint
                state = "runs" if self.pid() else "has ended"
                raise LabError(
                    f"The virtual machine {self.name} did not answer on {address}:{port} within {seconds} s; its "
                    f"process {state}. Its console is {self.console}, QEMU's own words are in {self.folder}/qemu.log."
                )
            time.sleep(0.5)

    def stop(self) -> None:
        """Everything of it goes, its disk too."""
        pid = self.pid()
        started = pid and shell.start_time(pid)
        if pid and started and not shell.stop(pid, started):
            raise LabError(f"The virtual machine {self.name} (pid {pid}) could not be stopped.")
        self.detach()
        if self.folder.exists():
            shutil.rmtree(self.folder)
