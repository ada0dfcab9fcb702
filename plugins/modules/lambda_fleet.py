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
  - Brings a fleet of named nodes to the declared size. Instances that carry the fleet's tags are adopted, missing ones
    are launched one by one at
    the pace that the API allows, and replaced when they are unhealthy, stuck in booting or gone, though not for ever.
  - Nodes that were won are kept when the next one is refused. Only a lack of capacity and an answer that is not clear
    are waited for, within
    O(deadline); a wrong key, a quota or a wrong parameter end the task at once, and its message names what is running.
  - Identity is tags, never a name or a position. Instances are terminated by the exact id that a fresh list gave with
    the fleet's tag.
  - A launch is never repeated blindly. Its intent is in a ledger before it is asked for; if its fate is unknown, the
    account is searched for the
    tags of that very launch for O(settle_time), by this run or by the next one.
  - Each launch gets an ssh host key that is made here, so that the first connection is verified. The fleet's
    C(known_hosts) is in O(state_dir).
  - Runs on the control node, where the API key stays. One run at a time works on a fleet.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.changes
  - ansible.builtin.action_common_attributes
options:
  name:
    description: Name of the fleet; lower-case letters, digits and dashes, at most 40. The nodes are C(NAME-00), the
      head, C(NAME-01) and so on.
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
    description:
      - Region, or several in the order of preference. Needed for O(state=present).
      - All nodes are in one region, the one where the first node was won. Only regions that have all of O(filesystems)
        count.
    type: list
    elements: str
    default: []
  ssh_key_name:
    description: Name of the ssh key in the account. Needed to launch.
    type: str
  filesystems:
    description: Names of filesystems to attach. They can be attached at launch only, in their own region.
    type: list
    elements: str
    default: []
  firewall_rulesets:
    description: Names of firewall rulesets to attach, beside the rules for all instances of the account. They can be
      attached at launch only.
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
  accept_host_keys:
    description:
      - Ids of instances of this fleet whose ssh host key is not known here, because they were launched elsewhere, and
        is accepted as they show it now.
      - Without it such an instance is refused.
    type: list
    elements: str
    default: []
  replace:
    description:
      - Ids of instances of this fleet that something found bad. Each is terminated, and then another is launched under
        the name of its node.
      - An id that is no node of this fleet is an error, and nothing is changed. One that was, and is gone, is left
        alone, so a second run changes nothing.
    type: list
    elements: str
    default: []
  launch:
    description:
      - V(all) launches every missing node. V(head) launches the head if it is missing, keeps what runs, and leaves the
        other missing nodes to a later task; they are in RV(later).
      - The limits of price are those of the whole fleet from the first launch on.
    type: str
    choices: [all, head]
    default: all
  allow_shrink:
    description: Whether nodes beyond O(size) are terminated, the last ones, never the head. Without it they are an
      error.
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
  max_price:
    description: Most dollars per hour that one instance may cost, by the catalogue right before each launch. V(0) is no
      limit.
    type: float
    default: 0
  max_fleet_price:
    description: Most dollars per hour that the whole fleet may cost. V(0) is no limit.
    type: float
    default: 0
  max_life:
    description:
      - Seconds after the first launch at which the fleet is past its life. It is stamped on every instance at launch
        and cannot be changed later.
      - Nothing in the Lambda Cloud acts on it; M(gh200.inference.lambda_reap) does, wherever it runs. V(0) is no end.
    type: float
    default: 0
  deadline:
    description: Seconds within which the fleet must be there, or gone.
    type: float
    default: 3600
  boot_deadline:
    description: Seconds after which an instance that is still booting is replaced.
    type: float
    default: 1200
  max_replacements:
    description:
      - How many others one run launches for a node whose instances are unhealthy, stuck in booting or vanish, before it
        ends with a sentence. Each is paid for as long as it lives.
      - Instances of earlier runs do not count, nor what O(replace) names.
    type: int
    default: 3
  settle_time:
    description: Seconds for which a launch without a clear answer is looked for before it counts as not made.
    type: float
    default: 30
  blind_interval:
    description: Seconds between two launches that are tried although the catalogue shows no capacity; it errs both
      ways.
    type: float
    default: 300
  resend_interval:
    description: Seconds after which an instance that still lives is told to end again.
    type: float
    default: 60
  poll_interval:
    description: Seconds between two looks. After a refusal the pause grows to six times of it, half a minute at most.
    type: float
    default: 5
  state_dir:
    description: Folder for ledger, host keys and known_hosts. Default is the environment variable E(GH200_STATE_DIR),
      then C(~/.local/state/gh200).
    type: path
seealso:
  - module: gh200.inference.lambda_fleet_info
  - module: gh200.inference.lambda_reap
  - module: gh200.inference.lambda_receipt
"""

EXAMPLES = r"""
- name: Sixteen nodes, for a day at most, at no more than 40 dollars per hour
  gh200.inference.lambda_fleet:
    name: r1
    size: 16
    region: us-east-3
    ssh_key_name: laptop
    filesystems: [shared]
    max_fleet_price: 40
    max_life: 86400
  register: r1

- name: The head of a fleet of four, which has something to do alone
  gh200.inference.lambda_fleet:
    name: v3
    size: 4
    launch: head
    region: us-east-3
    ssh_key_name: laptop
    filesystems: [shared]

- name: Another one in the place of the fourth, which is slow
  gh200.inference.lambda_fleet:
    name: r1
    size: 16
    region: us-east-3
    ssh_key_name: laptop
    filesystems: [shared]
    replace: ["{{ r1.fleet.nodes[3].id }}"]

- name: Twelve of them
  gh200.inference.lambda_fleet:
    name: r1
    size: 12
    region: us-east-3
    ssh_key_name: laptop
    filesystems: [shared]
    allow_shrink: true

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
    size:
      description: Number of nodes that was declared.
      type: int
    nodes:
      description: The nodes, head first.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the node.
          type: str
          sample: r1-00
        id:
          description: Id of the instance.
          type: str
          sample: 0920582c7ff041399e34823a0be62549
        status:
          description: Status of the instance.
          type: str
          sample: active
        ip:
          description: Public address, empty while there is none.
          type: str
          sample: 192.0.2.10
        private_ip:
          description: Private address, empty where there is none.
          type: str
          sample: 10.19.0.10
        region:
          description: Region of the instance.
          type: str
          sample: us-east-3
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
later:
  description: Names of the nodes that are missing still, with O(launch=head).
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
