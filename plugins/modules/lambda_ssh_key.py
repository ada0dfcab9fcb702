#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_ssh_key
author: gh200.inference contributors (@gh200)
short_description: ssh key in a Lambda Cloud account
version_added: 0.1.0
description:
  - Imports a public key under a name, so that instances can be launched with it, or removes it.
  - With O(private_key_file) a pair is made on the control node if the file is not there, and its public half is
    imported.
  - The private half is in that file only; it is never sent, returned or shown.
  - Lambda cannot change a key, so a key of this name with other content is an error. Comments are not compared.
  - Two keys of this name are an error that names their ids.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.changes
  - ansible.builtin.action_common_attributes
options:
  name:
    description: Name of the key, 1 to 64 characters.
    type: str
    required: true
  state:
    description: V(absent) removes the key from the account. Instances that run keep it, and no file is touched.
    type: str
    choices: [present, absent]
    default: present
  public_key:
    description: The public key, as in a C(.pub) file of OpenSSH.
    type: str
  public_key_file:
    description: File on the control node that holds the public key.
    type: path
  private_key_file:
    description:
      - File on the control node with the private key, without a passphrase.
      - If it is not there, an ed25519 key is made and written to it with mode 0600. A file that is there is never
        overwritten. The folder must exist.
    type: path
seealso:
  - module: gh200.inference.lambda_ssh_key_info
"""

EXAMPLES = r"""
- name: Import the key of this machine
  gh200.inference.lambda_ssh_key:
    name: ada
    public_key_file: ~/.ssh/id_ed25519.pub

- name: Make a key for the fleets
  gh200.inference.lambda_ssh_key:
    name: fleets
    private_key_file: ~/.ssh/fleets

- name: Remove one
  gh200.inference.lambda_ssh_key:
    name: ada
    state: absent
"""

RETURN = r"""
ssh_key:
  description: The key; empty for O(state=absent).
  type: dict
  returned: success
  contains:
    id:
      description: Id; empty in check mode for a key that is not there yet.
      type: str
      sample: ddf9a910ceb744a0bb95242cbba6cb50
    name:
      description: Name.
      type: str
      sample: laptop
    public_key:
      description: The public key; empty in check mode for a pair that is not made yet.
      type: str
      sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICN+lJwsONkwrdsSnQsu1ydUkIuIg5oOC+Eslvmtt60T laptop
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
