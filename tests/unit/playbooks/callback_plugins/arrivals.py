# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what the stand-ins of the roles show to the file that ARRIVALS_FILE names, one JSON object a line."""

from __future__ import annotations

import json
import os

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: arrivals
type: aggregate
short_description: collects what arrived
description: collects what arrived
"""


class CallbackModule(CallbackBase):
    """Host, play, role and values of each stand-in that ran."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "arrivals"

    def __init__(self):
        super().__init__()
        self.play = ""

    def v2_playbook_on_play_start(self, play):
        self.play = play.get_name()

    def v2_runner_on_ok(self, result):
        told = result.result.get("msg")
        if isinstance(told, dict) and "arrived" in told:
            line = {"host": result.host.get_name(), "play": self.play, **told}
            with open(os.environ["ARRIVALS_FILE"], "a", encoding="utf-8") as stream:
                print(json.dumps(line), file=stream)
