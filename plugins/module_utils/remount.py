# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NFS mounts that are unmounted and mounted again by fstab, all that share a superblock in the kernel together."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.gh200.inference.plugins.module_utils import holders, mounts, systemd

FSTAB = "/etc/fstab"
MOUNTINFO = "/proc/self/mountinfo"
# Seconds within which a mount must answer.
PATIENCE = 30


class Remount:
    """`fail` ends the module with a sentence."""

    def __init__(self, module, fail: t.Callable[[str], t.NoReturn]):
        self.module = module
        self.fail = fail

    def find(self, path: str) -> mounts.Mount:
        """The mount of a path; an automounter mounts it when it is looked at."""
        look = ["timeout", "--signal=KILL", str(PATIENCE), "stat", "--file-system", "--format=%T", f"{path}/."]
        status, dummy, err = self.module.run_command(look)
        if status == 1:
            self.fail(f"{path} is not there: {err.strip()}. Attach the filesystem, or say where it is mounted.")
        if status != 0:
            self.fail(f"{path} did not answer within {PATIENCE} s: its server cannot be reached. Look at `dmesg`.")
        return self.over(path) or self.fail(f"{path} is on no mount that {MOUNTINFO} knows.")

    def over(self, path: str) -> mounts.Mount | None:
        """The mount of a path, as it is now."""
        return mounts.mount_over(systemd.read(MOUNTINFO) or "", os.path.realpath(path))

    def group(self, mount: mounts.Mount) -> list[str]:
        """Mount points of that superblock. Each must be one that can be mounted again."""
        fstab = systemd.read(FSTAB) or ""
        group = [one.target for one in self.now() if one.device == mount.device]
        for target in group:
            if not mounts.has_line(fstab, target):
                other = "" if target == mount.target else f", where {mount.source} is mounted too (they share a cache)"
                self.fail(
                    f"{FSTAB} has no line of type nfs for {target}{other}, so it could not be mounted again: "
                    "add the line or unmount it, then run this again."
                )
        return group

    def groups(self, targets: list[str], option: str) -> list[str]:
        """Those of the mount points that are mounted with the option, and all that share a superblock with them: one
        that stayed mounted would keep the option for the others.
        """
        having = [one for one in self.now() if one.target in targets and mounts.has(one.options, option)]
        return list(dict.fromkeys(target for one in having for target in self.group(one)))

    def now(self) -> list[mounts.Mount]:
        """What is mounted."""
        return mounts.mounted(systemd.read(MOUNTINFO) or "")

    def foretell(self, group: list[str]) -> None:
        """A warning for each mount that is in use."""
        for target in group:
            if holders.holders(target):
                self.module.warn(f"{target} is in use {self.use(target)}: it would be refused.")

    def anew(self, group: list[str], undo: t.Callable[[], None] | None = None) -> None:
        """Unmount all, then mount all; where that fails, `undo` and mount them as they were.

        Where one is in use all are mounted as before.
        """
        for number, target in enumerate(reversed(group)):
            rc, dummy, err = self.module.run_command(["umount", target])
            if rc != 0:
                use = self.use(target)
                self.mount(group[len(group) - number :])
                self.fail(
                    f"{target} is in use {use}, so it cannot be mounted anew ({err.strip()}): end that and run this "
                    f"again, or reboot ({FSTAB} is as it shall be)."
                )
        failed = self.mount(group)
        if failed and undo:
            undo()
            self.fail(f"{failed}. {self.mount(group) or 'It is mounted as before, without a cache'}.")
        if failed:
            self.fail(f"{failed}. Its line in {FSTAB} is as it was before the cache.")

    def use(self, target: str) -> str:
        """Who holds it."""
        return holders.sentence(target, self.now())

    def mount(self, group: list[str]) -> str:
        """What went wrong, or nothing. What is mounted already, perhaps by an automounter, is left alone."""
        for target in group:
            there = mounts.mount_at(systemd.read(MOUNTINFO) or "", target)
            if there and there["fstype"].startswith("nfs"):
                continue
            waits = there and there["fstype"] == "autofs"
            # Who looks behind an automounter has it mounted; to mount there beside it is a race.
            command = ["stat", "--file-system", f"{target}/."] if waits else ["mount", target]
            rc, dummy, err = self.module.run_command(command)
            if rc != 0:
                return f"{target} could not be mounted again: {' '.join(err.split())}"
        return ""
