# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words as a unit file has them after ExecStart=."""

from __future__ import annotations

DOCUMENTATION = r"""
name: exec_start
author: gh200.inference contributors (@gh200)
short_description: Words of a command line, quoted for a unit file
version_added: 0.1.0
description:
  - The text after C(ExecStart=), from which systemd makes these words again, whatever blanks, quotes, backslashes,
    C(%) and C($) they have. Each word that begins with a dash stands on a line of its own.
options:
  _input:
    description: The program and its arguments.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show /usr/bin/printf "100%% of $$HOME"
  ansible.builtin.debug:
    msg: "{{ ['/usr/bin/printf', '100% of $HOME'] | gh200.inference.exec_start }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

from ansible_collections.gh200.inference.plugins.plugin_utils import command_line


def exec_start(words):
    """One text."""
    found = ""
    for word in map(str, words):
        between = "" if not found else " \\\n    " if word.startswith("-") else " "
        found += between + command_line.quoted(word)
    return found


class FilterModule:
    """Ansible's way to find it."""

    def filters(self):
        """Name to function."""
        return {"exec_start": exec_start}
