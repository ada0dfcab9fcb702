# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Follows a job on a node: asks again and again, shows its progress, and bears a lost connection."""

from __future__ import annotations

import time

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

display = Display()

SHOW_EVERY = 10  # seconds between two lines of one job
UNREACHABLE_FOR = 300  # seconds for which a node may be out of reach before the task gives up


class ActionModule(ActionBase):
    """One module call per few seconds, so that no connection has to live for the length of the job."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        host = task_vars.get("inventory_hostname", "")
        label = args.get("label") or args.get("name")
        result = self._call(args, task_vars)
        changed, started = result.get("changed", False), result.get("started", False)
        deadline = time.monotonic() + int(args.get("timeout", 3600)) + 120
        shown = 0.0
        while self._goes_on(result, args):
            if time.monotonic() > deadline:
                return {
                    "failed": True,
                    "changed": changed,
                    "msg": f"{label} on {host} is still running after its timeout; its log is {result.get('log')}.",
                }
            if time.monotonic() - shown >= SHOW_EVERY and result.get("progress"):
                shown = time.monotonic()
                display.display(f"[{host}] {label}: {result['progress']} ({_clock(result.get('seconds', 0))})")
            result = self._patient_call({**args, "watch": result["invocation"]}, task_vars, host)
        result.update(changed=changed or result.get("changed", False), started=started)
        return result

    def _goes_on(self, result, args):
        return not (
            result.get("failed") or result.get("finished") or args.get("state") == "started" or self._task.check_mode
        )

    def _call(self, args, task_vars):
        return self._execute_module(module_name="gh200.inference.systemd_job", module_args=args, task_vars=task_vars)

    def _patient_call(self, args, task_vars, host):
        """The job does not mind a lost connection, so neither does the task."""
        deadline = time.monotonic() + UNREACHABLE_FOR
        while True:
            try:
                return self._call(args, task_vars)
            except AnsibleConnectionFailure as error:
                if time.monotonic() > deadline:
                    raise
                display.warning(f"{host} cannot be reached ({error}); its job goes on, and so does the waiting.")
                self._connection.reset()
                time.sleep(5)


def _clock(seconds):
    return f"{seconds // 60}m{seconds % 60:02d}s" if seconds >= 60 else f"{seconds}s"
