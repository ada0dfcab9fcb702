# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The result of an earlier load test."""

from __future__ import annotations

DOCUMENTATION = r"""
name: load_result
author: gh200.inference contributors (@gh200)
short_description: Read the result of a load test
version_added: 0.1.0
description:
  - Reads what the role C(load_test) wrote, or C(load_test.html) exported, and fails with one sentence on anything else.
positional: name
options:
  _input:
    description: Text of the file.
    type: str
    required: true
  name:
    description: What to call it in that sentence.
    type: str
    required: true
  asked:
    description: What the test that it is compared with asks for; one that asked for something else is refused.
    type: dict
"""

EXAMPLES = r"""
- name: Read an earlier test
  ansible.builtin.set_fact:
    earlier: "{{ lookup('ansible.builtin.file', 'load.json') | gh200.inference.load_result('load.json') }}"
"""

RETURN = r"""
_value:
  description: The result.
  type: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.gh200.inference.plugins.plugin_utils.load_test import result


def load_result(text: str, name: str, asked: dict[str, t.Any] | None = None) -> result.Result:
    """The filter."""
    try:
        return result.read(text, name, asked)
    except result.ResultError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Hands the filter to Ansible."""

    def filters(self) -> dict[str, t.Any]:
        """Name to function."""
        return {"load_result": load_result}
