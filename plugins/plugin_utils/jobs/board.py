# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the hosts of one task tell each other while they wait. Each host is a process of its own, so it is a folder.

It lies in Ansible's own temporary folder of the run, which goes with the run.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
import typing as t
import urllib.parse

BEGUN, RUNNING, FINISHED, FAILED = "begun", "running", "finished", "failed"
PATIENCE = 30  # seconds for which a line waits for hosts that have only begun

Record = dict[str, t.Any]


class Board:
    """Of one task, as one host sees it: `about` names what it does there, for a loop does several things one after the
    other. Raises OSError where the folder cannot be used.
    """

    def __init__(self, temporary: str, task: str, host: str, about: str = ""):
        self.root = os.path.join(temporary, "gh200-jobs")
        self.folder = os.path.join(self.root, _file(task))
        self.task = task
        self.host = host
        self.record = self._record(host, about)
        self.jobs: dict[str, t.Any] = {}

    def put(self, state: str, jobs: dict[str, t.Any] | None = None, sentence: str = "") -> None:
        """This host's record: its state, an entry for each job by name (without any, those that were put before), and
        why it failed.
        """
        self.jobs = self.jobs if jobs is None else jobs
        record = {
            "host": self.host,
            "state": state,
            "time": time.monotonic(),  # one clock for all processes of a machine
            "jobs": self.jobs,
            "sentence": sentence,
        }
        _write(self.record, record)

    def records(self) -> list[Record]:
        """Those of all that have begun this task, the latest last."""
        found = []
        with contextlib.suppress(FileNotFoundError):
            for name in os.listdir(self.folder):
                if name.endswith(".json"):
                    found.append(_read(os.path.join(self.folder, name)))
        return sorted(found, key=lambda record: record["time"])

    def has_ended(self, host: str, about: str = "") -> bool | None:
        """Whether a host has ended this part of the task, an item of a loop for one; None where it has not begun."""
        try:
            return _read(self._record(host, about))["state"] in (FINISHED, FAILED)
        except FileNotFoundError:
            return None

    def was_told(self) -> bool:
        """Whether any host has told how far all are."""
        return os.path.exists(os.path.join(self.folder, "told"))

    def failure(self) -> Record | None:
        """The record of what failed first, or None."""
        return next((record for record in self.records() if record["state"] == FAILED), None)

    def by_job(self) -> dict[str, dict[str, t.Any]]:
        """Name of each job to its entry on each host."""
        found: dict[str, dict[str, t.Any]] = {}
        for record in self.records():
            for name, entry in record["jobs"].items():
                found.setdefault(name, {})[record["host"]] = entry
        return {name: dict(sorted(entries.items())) for name, entries in found.items()}

    @contextlib.contextmanager
    def turn(self, every: float) -> t.Iterator[bool]:
        """Whether it is this host's turn to tell how far all are: `every` seconds after whoever did it last, and not
        before those that have begun know how far they are.
        """
        with self._locked():
            now, path = time.monotonic(), os.path.join(self.folder, "told")
            last = _read(path) if self.was_told() else None
            early = any(record["state"] == BEGUN and now - record["time"] < PATIENCE for record in self.records())
            is_mine = not early if last is None else now - last >= every
            yield is_mine
            if is_mine:
                _write(path, now)

    def note_background(self, name: str) -> None:
        """This run has begun a job on this host that nobody waits for yet."""
        path = os.path.join(self.root, f"{_file(self.host)}.background")
        _write(path, sorted({*self.background(), name}))

    def background(self) -> list[str]:
        """Names of the jobs that this run has begun on this host."""
        try:
            return list(_read(os.path.join(self.root, f"{_file(self.host)}.background")))
        except FileNotFoundError:
            return []

    def is_first(self, what: str) -> bool:
        """Whether no other process of this run has asked this yet."""
        os.makedirs(self.root, mode=0o700, exist_ok=True)
        try:
            os.close(os.open(os.path.join(self.root, f"{_file(what)}.once"), os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            return False
        return True

    def _record(self, host: str, about: str) -> str:
        return os.path.join(self.folder, f"{_file(host)} {_file(about)[:180]}.json")

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[None]:
        """One host at a time. The lock goes with its process."""
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        descriptor = os.open(os.path.join(self.folder, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def _file(name: str) -> str:
    return urllib.parse.quote(name, safe="")


def _write(path: str, content: t.Any) -> None:
    """In one step, and without waiting for the disk: nothing of it outlives the run."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf-8") as stream:
        json.dump(content, stream)
    os.replace(f"{path}.new", path)


def _read(path: str) -> t.Any:
    with open(path, encoding="utf-8") as stream:
        return json.load(stream)
