# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every lambda_* action does: it runs on the control node, where the key stays, and fails with one sentence."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.client import Client
from ansible_collections.gh200.inference.plugins.plugin_utils.connect import connect

display = Display()

# The options of the doc fragment gh200.inference.lambda_cloud.
CONNECTION: dict[str, dict[str, t.Any]] = {
    "api_url": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "api_key_file": {"type": "path", "no_log": False},
    "request_interval": {"type": "float"},
    "launch_interval": {"type": "float"},
    "request_timeout": {"type": "float", "default": 120},
}


class LambdaAction(ActionBase):
    """Subclasses have SPEC, perhaps RULES (required_if and its kin), and `execute`."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    SPEC: dict[str, dict[str, t.Any]] = {}
    RULES: dict[str, t.Any] = {}

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        dummy, options = self.validate_argument_spec(argument_spec={**CONNECTION, **self.SPEC}, **self.RULES)
        try:
            return self.execute(connect(options), options)
        except errors.CloudError as error:
            return {"failed": True, "msg": str(error), "failure": error.failure()}
        except (AnsibleError, OSError) as error:
            return {"failed": True, "msg": str(error), "failure": {}}

    def execute(self, client: Client, options: dict[str, t.Any]) -> dict[str, t.Any]:
        """The work; the task's result. Raises CloudError with a sentence for the user."""
        raise AnsibleError(f"{type(self).__module__} has no execute.")

    @property
    def is_check(self) -> bool:
        """Whether nothing may be changed."""
        return bool(self._task.check_mode)

    def say(self, label: str, text: str) -> None:
        """A line of progress, at once."""
        display.display(f"[{label}] {text}")
