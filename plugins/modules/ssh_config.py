#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ssh_config
author: gh200.inference contributors (@gh200)
short_description: Reach hosts by their names with your own ssh
version_added: 0.1.0
description:
  - Writes a configuration for OpenSSH's client with the address, user, port, key and options by which Ansible reaches
    some hosts, so that C(ssh -F FILE NAME), C(scp) and C(rsync) reach them too, with the same strict host keys.
  - The file is replaced in one step and has mode 0600. Your own C(~/.ssh/config) is read after it.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    description: The operating system of the control node, where this runs, whatever host the task is for.
    platforms: posix
options:
  hosts:
    description: Names of hosts of the inventory.
    type: list
    elements: str
    required: true
  path:
    description: The file.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Let people reach the nodes by name
  gh200.inference.ssh_config:
    hosts: "{{ groups['all'] }}"
    path: ~/.local/state/gh200/r1/ssh_config
"""

RETURN = r"""
path:
  description: The file.
  type: str
  returned: success
"""
