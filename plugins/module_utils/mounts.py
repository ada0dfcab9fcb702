# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Texts about mounts: fstab, the kernel's list of NFS volumes, cachefilesd's settings. Pure."""

from __future__ import annotations

import re

FSTAB_LINE = re.compile(r"\s*[^\s#]\S*\s+(?P<target>\S+)\s+\S+\s+(?P<options>\S+)")


def with_option(fstab: str, mount_point: str, option: str) -> str | None:
    """The fstab with the option added to that one mount; None if it has no line for it."""
    lines, found = [], False
    for line in fstab.splitlines(keepends=True):
        fields = FSTAB_LINE.match(line)
        if fields and fields["target"] == mount_point:
            found = True
            options = fields["options"].split(",")
            if option not in options:
                # Only this field changes; the spacing of the line stays.
                line = line[: fields.start("options")] + ",".join([*options, option]) + line[fields.end("options") :]
        lines.append(line)
    return "".join(lines) if found else None


def is_cached(volumes: str, server: str, export_count: int = 1) -> bool:
    """Whether /proc/fs/nfsfs/volumes says FSC yes for a volume; `server` is an IPv4 address, which stands there in
    hexadecimal.
    """
    wanted = "".join(f"{int(part):02x}" for part in server.split(".")) if re.match(r"\d+(\.\d+){3}$", server) else ""
    rows = [line.split() for line in volumes.splitlines()[1:] if line.split()]
    mine = [row for row in rows if not wanted or (len(row) > 1 and row[1] == wanted)]
    return sum(row[-1] == "yes" for row in mine) >= export_count


def cachefilesd_conf(folder: str, brun: int, bcull: int, bstop: int) -> str:
    """Text of /etc/cachefilesd.conf; file limits as the block limits. Raises ValueError for limits out of order."""
    if not 0 <= bstop < bcull < brun < 100:
        raise ValueError(
            f"The limits must be in the order bstop < bcull < brun < 100; they are {bstop}, {bcull}, {brun}."
        )
    limits = "".join(
        f"{kind}{name} {value}%\n" for kind in "bf" for name, value in (("run", brun), ("cull", bcull), ("stop", bstop))
    )
    return f"dir {folder}\ntag gh200\n{limits}"


def with_run(defaults: str) -> str:
    """/etc/default/cachefilesd with RUN=yes, once, in the place where RUN stood."""
    lines = [line for line in defaults.splitlines() if not re.match(r"\s*RUN=", line)]
    where = next(
        (number for number, line in enumerate(defaults.splitlines()) if re.match(r"\s*#?\s*RUN=", line)), len(lines)
    )
    lines = [line for line in lines if not re.match(r"\s*#\s*RUN=", line)]
    lines.insert(min(where, len(lines)), "RUN=yes")
    return "\n".join(lines) + "\n"


def mount_at(mountinfo: str, path: str) -> dict[str, str] | None:
    """Type and source of what is mounted exactly there, by the text of /proc/self/mountinfo; None for a plain folder.

    Of mounts that lie on each other the last counts. `path` must be without links.
    """
    found = None
    for line in mountinfo.splitlines():
        fields, dash, rest = line.partition(" - ")
        if dash and len(fields.split()) > 4 and _unescaped(fields.split()[4]) == path:
            fstype, source = [*rest.split(), "", ""][:2]
            found = {"fstype": fstype, "source": _unescaped(source)}
    return found


def _unescaped(word: str) -> str:
    """The kernel writes blanks and backslashes in octal."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), word)
