# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Looks for a mount on the node, and notes on the control node where it is."""

from __future__ import annotations

import os

from ansible.plugins.action import ActionBase
from ansible_collections.gh200.inference.plugins.module_utils import systemd


class ActionModule(ActionBase):
    """The module does it all but the note."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        args = dict(self._task.args)
        record = args.pop("record", None)
        result = self._execute_module(module_name="gh200.inference.shared_mount", module_args=args, task_vars=task_vars)
        if record and not result.get("failed"):
            path = os.path.expanduser(record)
            try:
                # The playbooks that follow read it, so it is there in check mode too.
                if systemd.read(path) != result["path"]:
                    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
                    systemd.write(path, result["path"], 0o644)
            except OSError as error:
                return {
                    "failed": True,
                    "msg": f"{path} on the control node, which tells where the share is, cannot be written: {error}.",
                }
        return result
