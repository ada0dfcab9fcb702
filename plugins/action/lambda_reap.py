# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_reap: ends what is past the life that was stamped on it. Needs nothing but the key."""

from __future__ import annotations

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import absent, overview, plan, spec
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.state_dir import fleet_folder, locked
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors


class ActionModule(LambdaAction):
    """Fleets past their life, by stamp."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "name": {"type": "str", "default": ""},
        "deadline": {"type": "float", "default": 900},
        "poll_interval": {"type": "float", "default": 5},
        "resend_interval": {"type": "float", "default": 60},
        "settle_time": {"type": "float", "default": 30},
        "state_dir": {"type": "path"},
    }

    def execute(self, client, options):
        instances, now = client.instances(), client.clock.now()
        due = overview.expired(instances, now, options["name"])
        result = {
            "changed": bool(due),
            "terminated": [instance.id for instance in due],
            "expired": [overview.node(instance, now) for instance in due],
            "without_end": [
                overview.node(instance, now)
                for instance in instances
                if instance.tags.get(plan.FLEET) and not instance.is_gone and plan.stamp(instance, plan.EXPIRES) is None
            ],
        }
        if self.is_check:
            return result
        failed = []
        for name in sorted({instance.tags[plan.FLEET] for instance in due}):
            ids = {instance.id for instance in due if instance.tags[plan.FLEET] == name}
            try:
                self.end(client, options, name, ids)
            except errors.CloudError as error:
                failed.append(str(error))
        if failed:
            raise errors.CloudError(" ".join(failed))
        return result

    def end(self, client, options, name, ids):
        """These nodes of one fleet, by exact id."""
        folder = fleet_folder(options["state_dir"], name)
        wanted = spec.EndSpec.from_options(options | {"name": name})

        def say(text):
            self.say(name, text)

        with locked(folder, f"fleet {name}", say):
            absent.Ending(client, wanted, folder, say).absent(ids)
