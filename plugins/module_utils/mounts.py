# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Texts about mounts: fstab, the kernel's lists of mounts and of NFS volumes. Pure."""

from __future__ import annotations

import re
import typing as t

# The fields of a line keep their places, so that only one of them changes. mount(8) is content with three.
FSTAB_LINE = re.compile(
    r"[ \t]*(?P<source>[^\s#]\S*)[ \t]+(?P<target>\S+)[ \t]+(?P<fstype>\S+)(?:[ \t]+(?P<options>\S+))?"
)


class Mount(t.NamedTuple):
    """One line of /proc/self/mountinfo; `device` is major:minor, the same for all mounts of one superblock."""

    target: str
    fstype: str
    source: str
    options: list[str]
    device: str


def mounted(mountinfo: str) -> list[Mount]:
    """All mounts, in the order in which they were made."""
    found = []
    for line in mountinfo.splitlines():
        fields, dash, rest = line.partition(" - ")
        words = fields.split()
        if dash and len(words) > 5:
            fstype, source, more = [*rest.split(), "", "", ""][:3]
            options = [*words[5].split(","), *more.split(",")]
            found.append(Mount(unescaped(words[4]), fstype, unescaped(source), options, words[2]))
    return found


def mount_at(mountinfo: str, path: str) -> dict[str, str] | None:
    """Type and source of what is mounted exactly there, by the text of /proc/self/mountinfo; None for a plain folder.

    Of mounts that lie on each other the last counts. `path` must be without links.
    """
    found = next((mount for mount in reversed(mounted(mountinfo)) if mount.target == path), None)
    return found and {"fstype": found.fstype, "source": found.source}


def mount_over(mountinfo: str, path: str) -> Mount | None:
    """The mount that a path is on; `path` must be without links. None only where nothing at all is mounted."""
    over = [mount for mount in mounted(mountinfo) if is_below(path, mount.target)]
    # The longest, and of those the last.
    return max(enumerate(over), key=lambda item: (len(item[1].target), item[0]))[1] if over else None


def is_below(path: str, folder: str) -> bool:
    """Whether a path is the folder or in it."""
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")


def has_line(fstab: str, mount_point: str) -> bool:
    """Whether there is a line for an NFS mount at that place."""
    return any(_is_for(FSTAB_LINE.match(line), mount_point) for line in fstab.splitlines())


def with_option(fstab: str, mount_point: str, option: str) -> str | None:
    """The fstab with the option added to that one NFS mount; None if it has no line for it."""
    return _changed(fstab, mount_point, lambda options: options if has(options, option) else [*options, option])


def without_option(fstab: str, mount_point: str, option: str) -> str | None:
    """The opposite: a line that `with_option` changed is again what it was, to the letter."""
    return _changed(fstab, mount_point, lambda options: [one for one in options if one != option])


def has(options: list[str], option: str) -> bool:
    """Whether it is there, with a value or without."""
    return any(one.partition("=")[0] == option for one in options)


def _changed(fstab: str, mount_point: str, change: t.Callable[[list[str]], list[str]]) -> str | None:
    lines = []
    for line in fstab.splitlines(keepends=True):
        fields = FSTAB_LINE.match(line)
        if fields and _is_for(fields, mount_point):
            before = fields["options"].split(",") if fields["options"] else []
            after = change(before)
            if after != before:
                end = fields.end()
                # A line without options gets a field for them, and loses it when the last one goes.
                start = fields.start("options") if before and after else fields.end("fstype")
                gap = "" if before or not after else " "
                line = f"{line[:start]}{gap}{','.join(after)}{line[end:]}"
        lines.append(line)
    return "".join(lines) if has_line(fstab, mount_point) else None


def _is_for(fields: re.Match[str] | None, mount_point: str) -> bool:
    """fstab may say a folder with a slash at its end, and blanks in octal."""
    if not fields or not fields["fstype"].startswith("nfs"):
        return False
    return (unescaped(fields["target"]).rstrip("/") or "/") == mount_point


def is_cached(volumes: str, device: str) -> bool:
    """Whether /proc/fs/nfsfs/volumes says FSC yes for the superblock with this major:minor."""
    rows = [line.split() for line in volumes.splitlines()[1:]]
    return any(len(row) > 3 and row[3] == device and row[-1] == "yes" for row in rows)


def unescaped(word: str) -> str:
    """The kernel and fstab write blanks and backslashes in octal."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), word)
