# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From plugin options to a client. Runs on the control node only."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import client, transport

DEFAULTS = {"api_url": transport.DEFAULT_URL, "request_interval": 1.0, "launch_interval": 12.0, "request_timeout": 120.0}
ENVIRONMENT = {
    "api_url": "LAMBDA_API_URL", "api_key": "LAMBDA_API_KEY", "api_key_file": "LAMBDA_API_KEY_FILE",
    "request_interval": "LAMBDA_REQUEST_INTERVAL", "launch_interval": "LAMBDA_LAUNCH_INTERVAL",
}
WAYS = "Export LAMBDA_API_KEY, or set api_key, or name a file with it in api_key_file."


def connect(options: dict[str, t.Any]) -> client.Client:
    """A client; raises AnsibleError with one sentence where an option is missing or wrong."""
    def value(name):
        given = options.get(name)
        return given if given not in (None, "") else os.environ.get(ENVIRONMENT.get(name, ""), "") or DEFAULTS.get(name, "")

    url = str(value("api_url"))
    if not url.startswith(("https://", "http://")):
        raise AnsibleError(f"api_url is '{url}'; it must begin with https:// (or http:// for a service on your own machine).")
    try:
        pace = [float(value(name)) for name in ("request_interval", "launch_interval", "request_timeout")]
    except ValueError as error:
        raise AnsibleError(f"request_interval, launch_interval and request_timeout are seconds: {error}.") from error
    key = str(value("api_key")).strip() or _key_from(str(value("api_key_file")))
    return client.Client.connect(key, url, pace[0], pace[1], pace[2])


def _key_from(path: str) -> str:
    if not path:
        raise AnsibleError(f"There is no Lambda API key. {WAYS}")
    try:
        with open(os.path.expanduser(path), encoding="utf-8") as stream:
            key = stream.read().strip()
    except OSError as error:
        raise AnsibleError(f"The file {path} with the Lambda API key cannot be read: {error.strerror}. {WAYS}") from error
    if not key:
        raise AnsibleError(f"The file {path} should hold the Lambda API key and is empty. {WAYS}")
    return key
