# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts what each host was made to do, and writes it where HOST_TASKS_FILE says."""

from __future__ import annotations

import collections
import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: host_tasks
type: aggregate
short_description: counts host-tasks
description: counts host-tasks
"""


class CallbackModule(CallbackBase):
    """Run and skipped, by host."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "host_tasks"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self.counts = collections.defaultdict(collections.Counter)

    def v2_runner_on_ok(self, result):
        self.counts[result.host.get_name()]["run"] += 1

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self.counts[result.host.get_name()]["run"] += 1

    def v2_runner_on_skipped(self, result):
        self.counts[result.host.get_name()]["skipped"] += 1

    def v2_playbook_on_stats(self, stats):
        with open(os.environ["HOST_TASKS_FILE"], "w", encoding="utf-8") as stream:
            json.dump(self.counts, stream)
