# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The progress of a run as JSON, a line for each look at each job: docs/progress.md tells the format.

The file is what the environment variable GH200_PROGRESS_LOG says, else .jobs/progress/TIME-PID.jsonl in the state
folder. It is made when the first job is waited for, so a run with nothing to do leaves none.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import state_dir
from ansible_collections.gh200.inference.plugins.plugin_utils.jobs import board, words

FORMAT = 1
VARIABLE = "GH200_PROGRESS_LOG"


def snapshot(task: str, name: str, entries: dict[str, words.Entry]) -> dict[str, t.Any]:
    """One line: a job on all hosts that run it."""
    running = {host: entry for host, entry in entries.items() if entry["state"] == "running"}
    label = next(iter(entries.values())).get("label", name)
    whole = {key: value for key, value in words.together(entries).items() if key != "usual" and value not in (None, "")}
    return {
        "format": FORMAT,
        "time": round(time.time(), 3),
        "task": task,
        "job": name,
        "label": label,
        **whole,
        **({"slowest": words.slowest(running)} if running else {}),
        "hosts": {
            host: {key: value for key, value in entry.items() if key not in ("label", "usual") and value is not None}
            for host, entry in entries.items()
        },
    }


def write(path: str, lines: list[dict[str, t.Any]]) -> None:
    """Append them, in one write, so that processes do not mix their lines. OSError where that is not possible."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    text = "".join(json.dumps(line) + "\n" for line in lines).encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, text)
    finally:
        os.close(descriptor)


def path(folder: str, run: board.Board) -> str:
    """The one file of this run, whichever of its processes asks."""
    given = os.environ.get(VARIABLE)
    if given:
        return os.path.abspath(os.path.expanduser(given))
    if run.is_first("journal"):
        name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{os.getppid()}.jsonl"
        state_dir.replace(os.path.join(run.root, "journal"), os.path.join(folder, ".jobs", "progress", name))
    for _attempt in range(50):  # the other process is about to write it
        with contextlib.suppress(FileNotFoundError), open(os.path.join(run.root, "journal"), encoding="utf-8") as file:
            return file.read()
        time.sleep(0.1)
    raise FileNotFoundError(2, "No process of this run has written it", os.path.join(run.root, "journal"))
