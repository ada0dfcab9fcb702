# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files of a service: written where they differ, and told."""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.gh200.inference.plugins.module_utils import systemd


def write(
    wanted: dict[str, tuple[str | None, int]],
    shown: t.Callable[[str, str | None], str | None],
    check_mode: bool,
) -> list[dict[str, str]]:
    """Write what differs, path to text (None for no such file) and mode; the diff, a part for each such file."""
    before = {path: systemd.read(path) for path in wanted}
    changed = [
        path
        for path, (text, mode) in wanted.items()
        if before[path] != text or (text is not None and os.stat(path).st_mode & 0o777 != mode)
    ]
    diff = [
        {
            "before_header": path,
            "after_header": path,
            "before": shown(path, before[path]) or "",
            "after": shown(path, wanted[path][0]) or "",
        }
        for path in changed
    ]
    for path in changed if not check_mode else ():
        text, mode = wanted[path]
        if text is None:
            os.unlink(path)
        else:
            systemd.write(path, text, mode)
    return diff


def newer(paths: t.Iterable[str], moment: str | None) -> bool:
    """Whether one of the files was changed after a moment as systemd tells it, in microseconds since the boot."""
    begin = int(moment or 0) / 1e6
    then = time.time() - (time.monotonic() - begin)
    return bool(begin) and any(os.path.exists(path) and os.stat(path).st_mtime > then for path in paths)


def drop_empty(folder: str) -> None:
    """Remove a folder, unless somebody has files there."""
    if os.path.isdir(folder) and not os.listdir(folder):
        os.rmdir(folder)
