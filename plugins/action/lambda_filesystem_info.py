# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_filesystem_info: runs on the control node, where the key stays."""

from __future__ import annotations

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction


class ActionModule(LambdaAction):
    """Filesystems of the account."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {"name": {"type": "str"}, "region": {"type": "str"}}

    def execute(self, client, options):
        found = results.matching(client.filesystems(), name=options["name"], region=options["region"])
        return {"changed": False, "filesystems": [results.filesystem(item) for item in found]}
