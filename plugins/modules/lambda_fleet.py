#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_fleet
author: gh200.inference contributors (@gh200)
short_description: A number of instances in the Lambda Cloud, declared
version_added: 0.1.0
description:
  - Brings a fleet of named nodes to the declared size. Instances that carry the fleet's tags are adopted, missing ones are launched one by one at
    the pace that the API allows, broken ones are replaced.
  - Identity is tags, never a name or a position. Instances are terminated by the exact id that a fresh list gave with the fleet's tag.
  - A launch is never repeated blindly. If its fate is unknown, the account is searched for the tags of that very launch.
  - Each node gets an ssh host key that is made here, so that the first connection is verified. The fleet's C(known_hosts) is in O(state_dir).
  - Runs on the control node, where the API key stays.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - ansible.builtin.action_common_attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: posix
options:
  name:
    description: Name of the fleet; lower-case letters, digits and dashes, at most 40. The nodes are C(NAME-00), the head, C(NAME-01) and so on.
    type: str
    required: true
  state:
    description: V(absent) terminates the fleet and waits until it is gone.
    type: str
    choices: [present, absent]
    default: present
  size:
    description: Number of nodes, 1 to 100. Needed for O(state=present).
    type: int
  instance_type:
    description: Instance type.
    type: str
    default: gpu_1x_gh200
  region:
    description: Region. Needed to launch.
    type: str
  ssh_key_name:
    description: Name of the ssh key in the account. Needed to launch.
    type: str
  filesystems:
    description: Names of filesystems to attach; they must be in O(region).
    type: list
    elements: str
    default: []
  image_family:
    description: Image family; an empty string leaves the choice to Lambda.
    type: str
    default: lambda-stack-22-04
  user_data:
    description: More cloud-config for the first boot.
    type: dict
    default: {}
  allow_shrink:
    description: Whether nodes beyond O(size) are terminated. Without it they are an error.
    type: bool
    default: false
  connect_with:
    description: The address on which sshd must answer.
    type: str
    choices: [public, private]
    default: public
  wait_for_ssh:
    description: Whether to wait until sshd answers on every node.
    type: bool
    default: true
  deadline:
    description: Seconds within which the fleet must be there, or gone.
    type: float
    default: 3600
  poll_interval:
    description: Seconds between two looks, and between two tries after a refusal.
    type: float
    default: 5
  state_dir:
    description: Folder for ledger, host keys and known_hosts. Default is the environment variable E(GH200_STATE_DIR), then V(~/.local/state/gh200).
    type: path
"""

EXAMPLES = r"""
- name: Sixteen nodes
  gh200.inference.lambda_fleet:
    name: r1
    size: 16
    region: us-east-3
    ssh_key_name: laptop
    filesystems: [shared]

- name: None any more
  gh200.inference.lambda_fleet:
    name: r1
    state: absent
"""

RETURN = r"""
fleet:
  description: The nodes by name.
  type: dict
  returned: success
  contains:
    name:
      description: Name of the fleet.
      type: str
    nodes:
      description: The nodes, head first.
      type: list
      elements: dict
      sample:
        - name: r1-00
          id: 0920582c7ff041399e34823a0be62549
          status: active
          ip: 192.0.2.10
          private_ip: 10.19.0.10
known_hosts:
  description: File with the host keys of the fleet.
  type: str
  returned: success
launched:
  description: Names of the nodes that were launched.
  type: list
  elements: str
  returned: success
adopted:
  description: Names of the nodes that were there.
  type: list
  elements: str
  returned: success
terminated:
  description: Ids of the instances that were terminated.
  type: list
  elements: str
  returned: success
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: quota, code: global/quota-exceeded, status: 400}
"""
