# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_region_info: runs on the control node, where the key stays."""

from __future__ import annotations

import dataclasses

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction


class ActionModule(LambdaAction):
    """All regions."""

    def execute(self, client, options):
        return {"changed": False, "regions": [dataclasses.asdict(region) for region in client.regions()]}
