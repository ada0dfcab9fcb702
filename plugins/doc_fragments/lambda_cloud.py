# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options that every plugin for the Lambda Cloud has."""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragments."""

    # What is empty counts as not given.
    DOCUMENTATION = r"""
options:
  api_url:
    description:
      - Address of the API. It must not have a password in it.
      - The environment variable E(LAMBDA_API_URL) can set it too.
    type: str
    default: https://cloud.lambda.ai/api/v1
  api_key:
    description:
      - API key of the account. It is used on the control node and never leaves it.
      - The environment variable E(LAMBDA_API_KEY) can set it too.
    type: str
  api_key_file:
    description:
      - File on the control node that holds the API key and nothing else, if O(api_key) is not given.
      - The environment variable E(LAMBDA_API_KEY_FILE) can set it too.
    type: path
  request_interval:
    description:
      - Seconds between two calls of one account, across all processes. The API allows one call per second.
      - The environment variable E(LAMBDA_REQUEST_INTERVAL) can set it too.
    type: float
    default: 1
  launch_interval:
    description:
      - Seconds between two launches of one account, across all processes. The API allows one in 12 seconds.
      - The environment variable E(LAMBDA_LAUNCH_INTERVAL) can set it too.
    type: float
    default: 12
  request_timeout:
    description:
      - Seconds that one call may take. A launch has been seen to take five.
    type: float
    default: 120
"""

    PLUGIN = r"""
options:
  api_url:
    description: Address of the API. It must not have a password in it.
    type: str
    default: https://cloud.lambda.ai/api/v1
    env:
      - name: LAMBDA_API_URL
  api_key:
    description: API key of the account. It is used on the control node and never leaves it.
    type: str
    env:
      - name: LAMBDA_API_KEY
  api_key_file:
    description: File that holds the API key and nothing else, if O(api_key) is not given. A relative path starts at the
      working folder.
    type: str
    env:
      - name: LAMBDA_API_KEY_FILE
  request_interval:
    description: Seconds between two calls of one account, across all processes. The API allows one call per second.
    type: float
    default: 1
    env:
      - name: LAMBDA_REQUEST_INTERVAL
  launch_interval:
    description: Seconds between two launches of one account, across all processes. The API allows one in 12 seconds.
    type: float
    default: 12
    env:
      - name: LAMBDA_LAUNCH_INTERVAL
  request_timeout:
    description: Seconds that one call may take.
    type: float
    default: 120
"""
