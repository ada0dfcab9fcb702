# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_image_info: runs on the control node, where the key stays."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction


class ActionModule(LambdaAction):
    """Images that an instance can be launched with."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "family": {"type": "str"},
        "region": {"type": "str"},
        "architecture": {"type": "str", "choices": ["x86_64", "arm64"]},
    }

    def execute(self, client, options):
        found = results.matching(client.images(), **{name: options[name] for name in self.SPEC})
        return {"changed": False, "images": [dataclasses.asdict(image) for image in found]}
