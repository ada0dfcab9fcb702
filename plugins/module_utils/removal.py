# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may be removed from a node, who uses it, and how it goes: exact paths only."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shutil
from collections.abc import Container

# Keys of a manifest: what is ours, and what was ours at another revision.
MANIFEST_FILES, MANIFEST_FORMER = "files", "former"


class Refused(Exception):
    """Why something must stay, in one sentence."""


def allowed(path: str, mounts: str) -> str:
    """The path without trailing slash, if it may be removed; `mounts` is the text of /proc/self/mounts.

    Raises Refused for a path that is relative, too near the root, or a mount point, or has one below it.
    """
    clean = os.path.normpath(path)
    if not os.path.isabs(path) or ".." in path.split("/") or len(pathlib.PurePath(clean).parts) < 3:
        raise Refused(f"{path} is not removed: it must be an absolute path with at least two folders below the root.")
    targets = [line.split()[1].replace("\\040", " ") for line in mounts.splitlines() if line.strip()]
    below = [target for target in targets if target == clean or target.startswith(clean + "/")]
    if below:
        raise Refused(
            f"{clean} is not removed: {below[0]} is mounted there. Unmount it first, if what is mounted may go."
        )
    return clean


def named_files(manifest: str) -> list[str]:
    """Paths of the files that a manifest names as ours, those beside and below it; [] without a manifest.

    Raises Refused for a file that is no manifest, or names what is not below its folder.
    """
    try:
        with open(manifest, encoding="utf-8") as stream:
            content = json.load(stream)
            names = sorted({*content[MANIFEST_FILES], *content.get(MANIFEST_FORMER, [])})
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(
            f"{manifest} does not tell what is ours ({type(error).__name__}): "
            "remove the files beside it by hand, or mend it."
        ) from error
    odd = [name for name in names if not isinstance(name, str) or os.path.isabs(name) or ".." in name.split("/")]
    if odd:
        raise Refused(f"{manifest} names {odd[0]!r}, which is not below its folder: nothing of it was removed.")
    return [os.path.join(os.path.dirname(manifest), name) for name in names]


def emptied(manifest: str, files: list[str]) -> list[str]:
    """The folders that may be empty without these files, the deepest first, with the manifest's own as the last."""
    top = os.path.dirname(manifest)
    found = {top}
    for file in files:
        folder = os.path.dirname(file)
        while folder.startswith(top + "/"):
            found.add(folder)
            folder = os.path.dirname(folder)
    return sorted(found, key=lambda folder: -folder.count("/"))


def remove(path: str) -> None:
    """A file, a link or a whole folder.

    A folder gets another name first, so that what is half removed is never taken for what it was.
    """
    if not os.path.isdir(path) or os.path.islink(path):
        os.unlink(path)
        return
    away = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.removed")
    if os.path.lexists(away):
        shutil.rmtree(away)
    os.rename(path, away)
    shutil.rmtree(away)


def drop_empty(*folders: str) -> None:
    """Remove those of the folders that are empty, in this order."""
    for folder in folders:
        if os.path.isdir(folder) and not os.listdir(folder):
            os.rmdir(folder)


def users(
    path: str, proc: str = "/proc", units: str = "/etc/systemd/system", apart_from: Container[str] = ()
) -> list[str]:
    """Processes and services of this node that use something below the path, as "ray (pid 12)" and "ray.service".

    What belongs to a service of `apart_from`, such as "ray.service", is not told.
    """
    found = []
    for pid in sorted((name for name in os.listdir(proc) if name.isdigit()), key=int):
        process = os.path.join(proc, pid)
        if int(pid) != os.getpid() and _uses(process, path) and _service(process) not in apart_from:
            found.append(f"{_name(process)} (pid {pid})")
    for unit in sorted(os.listdir(units)) if os.path.isdir(units) else ():
        if unit.endswith(".service") and unit not in apart_from and _mentions(_text(os.path.join(units, unit)), path):
            found.append(unit)
    return found


def _service(process: str) -> str:
    """The service of systemd that a process belongs to; "" for one of a session."""
    # A user's own services are below user@1000.service, which is then the first.
    found = re.search(r"/([^/\n]+\.service)(?=[/\n])", _text(os.path.join(process, "cgroup")) + "\n")
    return found[1] if found else ""


def _uses(process: str, path: str) -> bool:
    for link in ("exe", "cwd"):
        try:
            if (os.readlink(os.path.join(process, link)) + "/").startswith(path + "/"):
                return True
        except OSError:
            pass  # it has ended, or belongs to the kernel
    words = _text(os.path.join(process, "cmdline")).split("\0")
    return any(word.startswith(path + "/") for word in words) or f" {path}/" in _text(os.path.join(process, "maps"))


def _mentions(text: str, path: str) -> bool:
    # In quotes, or in a PATH, it is one too.
    return re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w.-])", text) is not None


def _name(process: str) -> str:
    return _text(os.path.join(process, "comm")).strip() or "a process"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
