# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A dictionary of flags as the words of a command line."""

from __future__ import annotations

DOCUMENTATION = r"""
name: flag_words
author: gh200.inference contributors (@gh200)
short_description: Words of a command line from a dictionary of flags
version_added: 0.1.0
description:
  - A name is that of the flag, with or without dashes before it, with dashes or underscores in it.
  - V(true) gives the flag alone; V(false), V(null) and an empty list give nothing; a list gives the flag and each item
    as a word of its own; a dictionary, also in a list, is written as JSON; anything else follows after C(=).
  - A flag that would carry a secret is refused, since every process list shows it.
options:
  _input:
    description: Names of flags and their values.
    type: dict
    required: true
  own:
    description: Flags that have variables of their own. They come first, and nothing of them is refused.
    type: dict
    default: {}
  reserved:
    description: Names of flags that are refused here, and the variable to set instead, empty for none.
    type: dict
    default: {}
  options:
    description: Further words, which are only searched for flags that would carry a secret.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Show ["--enforce-eager", "--max-num-batched-tokens=8192"]
  ansible.builtin.debug:
    msg: "{{ {'enforce-eager': true, 'max_num_batched_tokens': 8192, 'seed': none} | gh200.inference.flag_words }}"
"""

RETURN = r"""
_value:
  description: The words.
  type: list
  elements: str
"""

from ansible.errors import AnsibleFilterError
from ansible_collections.gh200.inference.plugins.plugin_utils import command_line


def flag_words(flags, own=None, reserved=None, options=None):
    """What command_line makes of them, its errors as Ansible's."""
    if not isinstance(flags, dict):
        raise AnsibleFilterError("Flags are a dictionary of names and values.")
    try:
        command_line.require_no_secret(options or [])
        return command_line.words(own or {}, {}) + command_line.words(flags, reserved or {})
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Ansible's way to find it."""

    def filters(self):
        """Name to function."""
        return {"flag_words": flag_words}
