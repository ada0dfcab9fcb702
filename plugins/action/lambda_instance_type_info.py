# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_instance_type_info: runs on the control node, where the key stays."""

from __future__ import annotations

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction


class ActionModule(LambdaAction):
    """The catalogue."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {"name": {"type": "str"}, "region": {"type": "str"}}

    def execute(self, client, options):
        offers = sorted(results.matching(client.offers().values(), name=options["name"]), key=lambda offer: offer.name)
        region = options["region"]
        return {
            "changed": False,
            "instance_types": [
                results.instance_type(offer) for offer in offers if region is None or region in offer.regions
            ],
        }
