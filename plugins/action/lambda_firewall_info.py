# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_firewall_info: runs on the control node, where the key stays."""

from __future__ import annotations

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import firewall


class ActionModule(LambdaAction):
    """The rules of the account and its rulesets."""

    def execute(self, client, options):
        return {
            "changed": False,
            "rules": firewall.shown(client.global_rules()),
            "rulesets": [results.ruleset(item) for item in client.rulesets()],
        }
