# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_ssh_key_info: runs on the control node, where the key stays."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction


class ActionModule(LambdaAction):
    """ssh keys of the account."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {"name": {"type": "str"}}

    def execute(self, client, options):
        found = results.matching(client.ssh_keys(), name=options["name"])
        return {"changed": False, "ssh_keys": [dataclasses.asdict(key) for key in found]}
