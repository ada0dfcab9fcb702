# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tells how far jobs are: lines for people, JSON for programs, and what earlier runs took. None of it stops a job."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import state_dir
from ansible_collections.gh200.inference.plugins.plugin_utils.jobs import history, journal, words
from ansible_collections.gh200.inference.plugins.plugin_utils.jobs.board import RUNNING, Board

SHOW_EVERY = 10  # seconds between two lines of one job


class Teller:
    """For one host of one task. `say` shows a line, `warn` a warning; `labels` are the task's own, by job name."""

    def __init__(
        self,
        board: Board,
        folder: str,
        say: t.Callable[[str], None],
        warn: t.Callable[[str], None],
        labels: dict[str, str],
    ):
        self.board = board
        self.folder = folder
        self.say = say
        self.warn = warn
        self.labels = labels
        self.history = history.History(folder)
        self.marks: dict[str, history.Marks] = {}

    def entries(self, jobs: dict[str, t.Any], started: bool) -> dict[str, words.Entry]:
        """What the board keeps of a node's answer. `started` is whether this task has started them."""
        found = {}
        for name, job in jobs.items():
            marks = self.marks.setdefault(name, history.Marks(started))
            entry = {
                **job["progress"],
                "label": self.labels.get(name) or job["label"],
                "state": "finished" if job["finished"] else RUNNING,
                "seconds": job["seconds"],
            }
            since = marks.see(entry.get("what", ""), job["seconds"])
            found[name] = entry if job["finished"] else {**entry, **self._time(name, job, since)}
        return found

    def tell(self) -> None:
        """The lines of all hosts, if it is this one's turn."""
        with self.board.turn(SHOW_EVERY) as is_mine:
            if not is_mine:
                return
            jobs = {
                name: entries
                for name, entries in self.board.by_job().items()
                if any(entry["state"] == RUNNING for entry in entries.values())
            }
            for name, entries in jobs.items():
                self.say(words.line(next(iter(entries.values())).get("label", name), entries))
            self._write(jobs)

    def end(self, jobs: dict[str, t.Any], failed: bool) -> None:
        """This host's waiting is over: keep how long its jobs took."""
        if self.board.was_told():
            self._write(self.board.by_job())
        if failed:
            return
        for name, job in jobs.items():
            if job["finished"] and job["invocation"] and job["seconds"]:
                record = {key: job[key] for key in ("kind", "seconds", "invocation")}
                record["marks"] = self.marks[name].known() if name in self.marks else {}
                self._try(functools.partial(self.history.keep, name, record))

    def _time(self, name: str, job: dict[str, t.Any], since: float | None) -> dict[str, t.Any]:
        """seconds_left and usual: the program's own word, its rate, or earlier runs."""
        progress = job["progress"]
        told = history.estimate(
            self._try(lambda: self.history.records(name)) or [],
            job["kind"],
            job["seconds"],
            progress.get("what", ""),
            since,
        )
        left, usual = told or (None, None)
        if progress.get("rate") and progress.get("total"):
            left = max(0, progress["total"] - progress.get("done", 0)) / progress["rate"]
        return {"seconds_left": progress.get("seconds_left", left), "usual": usual}

    def _write(self, jobs: dict[str, dict[str, words.Entry]]) -> None:
        lines = [journal.snapshot(self.board.task, name, entries) for name, entries in jobs.items()]
        self._try(lambda: journal.write(journal.path(self.folder, self.board), lines))

    def _try(self, work: t.Callable[[], t.Any]) -> t.Any:
        """A folder that cannot be used costs what would be in it, and one warning in a run."""
        try:
            return work()
        except OSError as error:
            if self.board.is_first("warning"):
                self.warn(
                    f"{state_dir.reason(error)}: times of jobs and their progress are not kept; the jobs go on. "
                    "GH200_STATE_DIR names another folder."
                )
            return None
