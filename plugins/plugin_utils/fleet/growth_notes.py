# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What earlier runs of this control node know: which filesystem holds which wheels, and how long a first run took."""

from __future__ import annotations

import json
import os
import typing as t

from . import state_dir

FILE = "growth.json"


class Notes:
    """A file in the state folder. What in it cannot be understood is as good as not there."""

    def __init__(self, folder: str):
        self.path = os.path.join(folder, FILE)
        with state_dir.reading(self.path) as stream:
            self.content = _understood(stream.read() if stream else b"")

    def wheels(self, filesystem_id: str) -> set[str]:
        """Names of the wheels that were seen there."""
        return set(self.content["wheels"].get(filesystem_id, ()))

    def seconds(self, kind: str) -> dict[str, float]:
        """Of the parts of a run of this kind, which names lane and instance type."""
        return dict(self.content["seconds"].get(kind, {}))

    def write(
        self, filesystem_ids: t.Iterable[str], wheels: t.Iterable[str], kind: str, took: dict[str, float]
    ) -> None:
        """Adds what a run has found; raises OSError where the file cannot be written."""
        for filesystem_id in filesystem_ids if wheels else ():
            self.content["wheels"][filesystem_id] = sorted(self.wheels(filesystem_id) | set(wheels))
        if took:
            self.content["seconds"][kind] = self.seconds(kind) | took
        state_dir.replace(self.path, json.dumps(self.content, indent=2, sort_keys=True) + "\n")


def _understood(text: bytes) -> dict[str, dict[str, t.Any]]:
    """The parts of the file that have the right form."""
    try:
        read = json.loads(text)
    except ValueError:
        read = {}
    return {
        "wheels": {
            key: [name for name in names if isinstance(name, str)]
            for key, names in _part(read, "wheels")
            if isinstance(names, list)
        },
        "seconds": {
            key: {name: value for name, value in parts.items() if _is_time(value)}
            for key, parts in _part(read, "seconds")
            if isinstance(parts, dict)
        },
    }


def _part(read: t.Any, name: str) -> t.Iterable[tuple[str, t.Any]]:
    part = read.get(name) if isinstance(read, dict) else None
    return part.items() if isinstance(part, dict) else ()


def _is_time(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e7
