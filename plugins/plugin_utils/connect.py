# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From plugin options to a client. Runs on the control node only."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import access, client, errors, transport

DEFAULTS = {"api_url": transport.DEFAULT_URL, "request_interval": 1.0, "launch_interval": 12.0, "request_timeout": 120.0}
ENVIRONMENT = {
    "api_url": "LAMBDA_API_URL", "api_key": "LAMBDA_API_KEY", "api_key_file": "LAMBDA_API_KEY_FILE",
    "request_interval": "LAMBDA_REQUEST_INTERVAL", "launch_interval": "LAMBDA_LAUNCH_INTERVAL",
}


def connect(options: dict[str, t.Any]) -> client.Client:
    """A client; raises CloudError with one sentence where an option is missing or wrong."""
    def value(name):
        given = options.get(name)
        return given if given not in (None, "") else os.environ.get(ENVIRONMENT.get(name, ""), "") or DEFAULTS.get(name, "")

    url = access.api_url(str(value("api_url")))
    try:
        pace = [float(value(name)) for name in ("request_interval", "launch_interval", "request_timeout")]
    except ValueError as error:
        raise errors.CloudError(f"request_interval, launch_interval and request_timeout are seconds: {error}.") from error
    key, path = str(value("api_key")), str(value("api_key_file"))
    if not key.strip() and not path:
        raise errors.CloudError(f"There is no Lambda API key. {access.WAYS}")
    key = access.api_key(key) if key.strip() else access.read_api_key(path)
    return client.Client.connect(key, url, *pace)
