#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: validate_roles
author: gh200.inference contributors (@gh200)
short_description: Compare the variables of this collection's roles with their specifications
version_added: 0.1.0
description:
  - Does for many roles in one task what Ansible does at the beginning of each role, so that a play whose roles are
    imported with C(rolespec_validate=false) costs one task per host for it.
  - The host is not asked, so a wrong value is told before a node is launched.
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  platform:
    description: The operating system of the control node, where this runs, whatever host the task is for.
    platforms: posix
options:
  roles:
    description: Names of roles, without the collection's. Default is all roles of this collection.
    type: list
    elements: str
  given_only:
    description:
      - Whether only those variables are looked at that this play has, as on C(localhost) before there are nodes, where
        the defaults of the roles do not count.
      - Also warns of a variable of the inventory that no role knows and whose name is nearly that of one that is known.
    type: bool
    default: false
  names_only:
    description:
      - Whether only the names of what was given with C(-e) are looked at, for plays that must work whatever the
        inventory says.
      - A name of these that no role knows and that is nearly one that is known fails with or without this option,
        unless O(roles) is given.
    type: bool
    default: false
  hosts:
    description:
      - Names of other hosts to compare too, in this one task. Of these only what is not the same text as for this host
        is computed, and what names such a variable, so that a fleet costs hardly more than a node.
      - Meant for C(run_once) with C(ansible_play_hosts).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Check all variables before a node is launched
  gh200.inference.validate_roles:
    given_only: true

- name: Check what all roles will run with on all hosts of this play
  gh200.inference.validate_roles:
    hosts: "{{ ansible_play_hosts }}"
  run_once: true

- name: Refuse a slip of the pen in what was given with -e before anything is terminated
  gh200.inference.validate_roles:
    names_only: true

- name: Check what two roles will run with on this host
  gh200.inference.validate_roles:
    roles: [ray_cluster, vllm_serve]
"""

RETURN = r"""
roles:
  description: The roles whose variables fit.
  type: list
  elements: str
  returned: success
  sample: [ray_cluster, vllm_serve]
argument_errors:
  description: What does not fit, each with its role.
  type: list
  elements: str
  returned: when something does not fit
"""
