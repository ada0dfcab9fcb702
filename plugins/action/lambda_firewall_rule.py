# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_firewall_rule: runs on the control node, where the key stays."""

from __future__ import annotations

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import converge, firewall

WHERE = "The account's firewall"


class ActionModule(LambdaAction):
    """The inbound rules of all instances: what is there is merged with what is declared."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "rules": {**results.RULES, "required": True},
        "state": {"type": "str", "choices": ["present", "absent", "exact"], "default": "present"},
    }

    def execute(self, client, options):
        rules = firewall.rules_from_options(options["rules"])
        seen = []

        def read():
            there = client.global_rules()
            seen.append(firewall.shown(there))
            return there

        def merge(there):
            after = firewall.MERGES[options["state"]](there, rules)
            if not firewall.same(there, after):
                firewall.check_size(there, after, WHERE)
                firewall.check_ssh(after, WHERE)
            return after

        after = (
            merge(read())
            if self.is_check
            else converge.converge(WHERE, read, client.set_global_rules, merge, client.pause)
        )
        result = results.outcome(seen[0], firewall.shown(after), rules=firewall.shown(after))
        if len(after) > firewall.MOST_RULES:
            result["warnings"] = [
                f"{WHERE} has {len(after)} rules. With more than {firewall.MOST_RULES}, Lambda says, "
                "new instances may not launch."
            ]
        return result
