# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ssh_config: runs on the control node, where the inventory and the fleet's folder are."""

from __future__ import annotations

import os

from ansible.plugins.action import ActionBase
from ansible_collections.gh200.inference.plugins.plugin_utils import ssh_config
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import state_dir


class ActionModule(ActionBase):
    """A file with the names of hosts, written where it differs."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        dummy, args = self.validate_argument_spec(
            argument_spec={
                "hosts": {"type": "list", "elements": "str", "required": True},
                "path": {"type": "path", "required": True},
            }
        )
        path = os.path.abspath(os.path.expanduser(args["path"]))
        try:
            hostvars = task_vars["hostvars"]
            wanted = ssh_config.text({host: hostvars[host] for host in args["hosts"]})
            with state_dir.reading(path) as stream:
                before = stream.read().decode(errors="replace") if stream else ""
                changed = before != wanted or (stream is not None and os.fstat(stream.fileno()).st_mode & 0o077 != 0)
            if changed and not self._task.check_mode:
                state_dir.replace(path, wanted)
        except ValueError as error:
            return {"failed": True, "msg": f"The configuration for ssh was not written: {error}."}
        except OSError as error:
            return {"failed": True, "msg": f"The configuration for ssh was not written: {state_dir.reason(error)}."}
        diff = {"before_header": path, "after_header": path, "before": before, "after": wanted}
        return {"changed": changed, "path": path, "diff": diff if changed else []}
