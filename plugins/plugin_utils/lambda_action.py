# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every lambda_* action does: it runs on the control node, where the key stays, and fails with one sentence."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.gh200.inference.plugins.plugin_utils import ranges
from ansible_collections.gh200.inference.plugins.plugin_utils.connect import CONNECTION, connect, given
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.client import Client

display = Display()


class LambdaAction(ActionBase):
    """Subclasses have SPEC, perhaps RULES (required_if and its kin) and CHECKED, and `execute`."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    SPEC: t.ClassVar[dict[str, dict[str, t.Any]]] = {}
    RULES: t.ClassVar[dict[str, t.Any]] = {}
    # Numbers that `execute` looks at itself, since it knows their range.
    CHECKED: tuple[str, ...] = ()

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        spec = {**CONNECTION, **self.SPEC}
        self._task.args = given(self._task.args)
        try:
            # As they were given, since a conversion makes 1 of true and 100 of 1e2; and again, for what comes from the
            # environment.
            numbers = {name: about for name, about in spec.items() if name not in self.CHECKED}
            ranges.check(numbers, self._task.args)
            dummy, options = self.validate_argument_spec(argument_spec=spec, **self.RULES)
            ranges.check(numbers, options)
            return self.execute(connect(options), options)
        except AnsibleActionFail:
            raise  # Ansible's own sentence on the options
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
