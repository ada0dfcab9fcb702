# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How long jobs took that ended well, kept on the control node so that the next fleet's nodes profit from it.

A file for each job's name, .jobs/durations/NAME.json in the state folder: records of kind (same parameters, same sort
of machine), seconds, marks (words of a step to the second at which it began), invocation, time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import statistics
import time
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import state_dir

KEPT = 40  # records of one job: two runs of sixteen nodes, and some
COMPARED = 5

Record = dict[str, t.Any]


class History:
    """`folder` is the state folder. Raises OSError where it cannot be used."""

    def __init__(self, folder: str):
        self.folder = os.path.join(folder, ".jobs", "durations")

    def records(self, name: str) -> list[Record]:
        """Those of a job, the latest last; [] where there are none, or a file that is damaged."""
        try:
            with open(self._path(name), encoding="utf-8") as stream:
                found = json.load(stream)
        except (FileNotFoundError, ValueError):
            return []
        return [record for record in found if _is_whole(record)] if isinstance(found, list) else []

    def keep(self, name: str, record: Record) -> None:
        """Add a run, once."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        with open(os.path.join(self.folder, "lock"), "a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            records = self.records(name)
            if record["invocation"] in [one["invocation"] for one in records]:
                return
            kept = [*records, {**record, "time": int(time.time())}][-KEPT:]
            state_dir.replace(self._path(name), json.dumps(kept))

    def _path(self, name: str) -> str:
        return os.path.join(self.folder, f"{os.path.basename(name)}.json")


def estimate(
    records: list[Record], kind: str, seconds: float, what: str = "", since: float | None = None
) -> tuple[float, float] | None:
    """Seconds that are left, and that such a job takes; None without an earlier run.

    Runs of the same kind count, where there are none all. `what` is the step's words and `since` the second at which
    it began: an earlier run that had this step too tells more, since a job that goes on where it ended is shorter.
    """
    alike = [record for record in records if record["kind"] == kind] or records
    if not alike:
        return None
    usual = statistics.median(record["seconds"] for record in alike[-COMPARED:])
    rest = [record["seconds"] - record["marks"][what] for record in alike[-COMPARED:] if what in record["marks"]]
    if rest and since is not None:
        return max(0, statistics.median(rest) - (seconds - since)), usual
    return max(0, usual - seconds), usual


class Marks:
    """The second at which each step of a job was first seen; of one that was joined, only of those that came after."""

    def __init__(self, is_whole: bool):
        self.is_whole = is_whole
        self.seen: dict[str, float] = {}

    def see(self, what: str, seconds: float) -> float | None:
        """Note it; the second at which it began, None where that is not known."""
        first = not self.seen
        self.seen.setdefault(what, 0 if first and self.is_whole else -1 if first else seconds)
        return self.seen[what] if self.seen[what] >= 0 else None

    def known(self) -> dict[str, float]:
        """Those whose begin was seen."""
        return {what: seconds for what, seconds in self.seen.items() if what and seconds >= 0}


def _is_whole(record: t.Any) -> bool:
    with contextlib.suppress(TypeError, KeyError):
        numbers = [record["seconds"], *record["marks"].values()]
        texts = (record["kind"], record["invocation"])
        return all(isinstance(number, (int, float)) for number in numbers) and all(isinstance(x, str) for x in texts)
    return False
