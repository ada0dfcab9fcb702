# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From plugin options to a client. Runs on the control node only."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleFallbackNotFound, env_fallback
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import access, client, errors, transport


def exported(name: str) -> str:
    """As env_fallback, but a variable that is empty is as good as none."""
    value = env_fallback(name)
    if not value:
        raise AnsibleFallbackNotFound
    return value


# The options of the doc fragment gh200.inference.lambda_cloud.
CONNECTION: dict[str, dict[str, t.Any]] = {
    "api_url": {"type": "str", "default": transport.DEFAULT_URL, "fallback": (exported, ["LAMBDA_API_URL"])},
    "api_key": {"type": "str", "no_log": True, "fallback": (exported, ["LAMBDA_API_KEY"])},
    "api_key_file": {"type": "path", "no_log": False, "fallback": (exported, ["LAMBDA_API_KEY_FILE"])},
    "request_interval": {"type": "float", "default": 1, "fallback": (exported, ["LAMBDA_REQUEST_INTERVAL"])},
    "launch_interval": {"type": "float", "default": 12, "fallback": (exported, ["LAMBDA_LAUNCH_INTERVAL"])},
    "request_timeout": {"type": "float", "default": 120},
}


def given(options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Without the options of a connection that are empty, which are left to environment and default."""
    return {name: value for name, value in options.items() if name not in CONNECTION or value not in (None, "")}


def connect(options: dict[str, t.Any]) -> client.Client:
    """A client. `options` are CONNECTION with environment and defaults.

    Raises CloudError with one sentence where one is missing or wrong.
    """
    url = access.api_url(options["api_url"])
    key, path = options["api_key"] or "", options["api_key_file"] or ""
    if not key.strip() and not path:
        raise errors.CloudError(f"There is no Lambda API key. {access.WAYS}")
    key = access.api_key(key) if key.strip() else access.read_api_key(path)
    return client.Client.connect(
        key, url, options["request_interval"], options["launch_interval"], options["request_timeout"]
    )
