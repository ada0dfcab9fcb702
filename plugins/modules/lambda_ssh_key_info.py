#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_ssh_key_info
author: gh200.inference contributors (@gh200)
short_description: ssh keys of a Lambda Cloud account
version_added: 0.1.0
description:
  - Lists the public keys that instances can be launched with.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.info
  - ansible.builtin.action_common_attributes
options:
  name:
    description: Only keys of exactly this name.
    type: str
seealso:
  - module: gh200.inference.lambda_ssh_key
"""

EXAMPLES = r"""
- name: Keys of the account
  gh200.inference.lambda_ssh_key_info:
  register: keys

- name: Their names
  ansible.builtin.debug:
    msg: "{{ keys.ssh_keys | map(attribute='name') }}"
"""

RETURN = r"""
ssh_keys:
  description: The keys.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: Id.
      type: str
      sample: ddf9a910ceb744a0bb95242cbba6cb50
    name:
      description: Name.
      type: str
      sample: laptop
    public_key:
      description: The public key.
      type: str
      sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICN+lJwsONkwrdsSnQsu1ydUkIuIg5oOC+Eslvmtt60T laptop
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
