# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes down what each host was made to do and when: a line of JSON for each host-task, in the file that BENCH_RECORD
names.
"""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: aggregate
short_description: records host-tasks
description: records host-tasks
"""


class CallbackModule(CallbackBase):
    """Seconds since 1970 throughout; `role` is empty for a task of a playbook's own."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.lines = []
        self.began = {}
        self.play = 0

    def v2_playbook_on_play_start(self, play):
        self.play += 1

    def v2_runner_on_start(self, host, task):
        self.began[host.get_name(), task._uuid] = time.time()

    def v2_runner_on_ok(self, result):
        self._note(result, "run")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._note(result, "run")

    def v2_runner_on_skipped(self, result):
        self._note(result, "skipped")

    def _note(self, result, how):
        host, task, now = result.host.get_name(), result.task, time.time()
        line = {
            "id": task._uuid,
            "play": self.play,
            "host": host,
            "role": task._role.get_name() if task._role else "",
            "task": task.name or task.action,
            "action": task.action,
            "how": how,
            "changed": bool(result.result.get("changed")),
            "begin": self.began.pop((host, task._uuid), now),
            "end": now,
        }
        self.lines.append(json.dumps(line) + "\n")

    def v2_playbook_on_stats(self, stats):
        with open(os.environ["BENCH_RECORD"], "w", encoding="utf-8") as stream:
            stream.writelines(self.lines)
