# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_instance_info: runs on the control node, where the key stays."""

from __future__ import annotations

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction


class ActionModule(LambdaAction):
    """Instances of the account."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "id": {"type": "str"},
        "name": {"type": "str"},
        "fleet": {"type": "str"},
        "status": {"type": "list", "elements": "str"},
    }

    def execute(self, client, options):
        found = [
            results.instance(item)
            for item in results.matching(client.instances(), id=options["id"], name=options["name"])
        ]
        fleet, statuses = options["fleet"], options["status"]
        return {
            "changed": False,
            "instances": [
                item
                for item in found
                if fleet in (None, item["fleet"]) and (statuses is None or item["status"] in statuses)
            ],
        }
