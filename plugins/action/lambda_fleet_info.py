# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_fleet_info: the account's fleets with age, cost and end."""

from __future__ import annotations

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import overview
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction


class ActionModule(LambdaAction):
    """One call, no state."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {"name": {"type": "str", "default": ""}}

    def execute(self, client, options):
        instances, now = client.instances(), client.clock.now()
        found = [fleet for fleet in overview.fleets(instances, now) if options["name"] in ("", fleet["name"])]
        return {"changed": False, "fleets": found, "others": overview.others(instances, now)}
