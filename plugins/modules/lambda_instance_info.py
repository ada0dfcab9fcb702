#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_instance_info
author: gh200.inference contributors (@gh200)
short_description: Instances of a Lambda Cloud account
version_added: 0.1.0
description:
  - Lists the instances that the API shows, also those that are terminating.
  - Options that are given must all match, to the letter. Secrets of Jupyter are never returned.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.info
  - ansible.builtin.action_common_attributes
options:
  id:
    description: Only the instance of this id.
    type: str
  name:
    description: Only instances of exactly this name.
    type: str
  fleet:
    description: Only nodes of this fleet of M(gh200.inference.lambda_fleet).
    type: str
  status:
    description: Only instances of one of these statuses.
    type: list
    elements: str
seealso:
  - module: gh200.inference.lambda_instance
  - module: gh200.inference.lambda_fleet
"""

EXAMPLES = r"""
- name: What runs in the account
  gh200.inference.lambda_instance_info:
  register: all

- name: What it costs per hour
  ansible.builtin.debug:
    msg: "{{ all.instances | map(attribute='price_per_hour') | sum }} dollars"

- name: Nodes of the fleet r1 that are broken
  gh200.inference.lambda_instance_info:
    fleet: r1
    status: [unhealthy, preempted]
"""

RETURN = r"""
instances:
  description: The instances.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: Id, which no other instance has.
      type: str
      sample: 0920582c7ff041399e34823a0be62549
    name:
      description: Name. Several instances may have the same one, and some have none.
      type: str
      sample: r1-00
    status:
      description: V(booting), V(active), V(unhealthy), V(terminating), V(terminated), V(preempted), or what else Lambda
        says.
      type: str
      sample: active
    ip:
      description: Public IPv4 address; empty while there is none.
      type: str
      sample: 192.0.2.10
    private_ip:
      description: Private IPv4 address; empty while there is none, and in some regions always.
      type: str
      sample: 10.19.0.10
    hostname:
      description: Host name; empty while there is none.
      type: str
      sample: r1-00
    region:
      description: Name of the region.
      type: str
      sample: us-east-3
    instance_type:
      description: Name of the instance type.
      type: str
      sample: gpu_1x_gh200
    architecture:
      description: V(arm64) or V(x86_64); empty where the API does not say.
      type: str
      sample: arm64
    gpus:
      description: Number of GPUs.
      type: int
      sample: 1
    price_per_hour:
      description: US dollars per hour.
      type: float
      sample: 2.29
    ssh_key_names:
      description: Names of the ssh keys that it was launched with.
      type: list
      elements: str
      sample: [laptop]
    file_system_names:
      description: Names of the filesystems that it has.
      type: list
      elements: str
      sample: [shared]
    tags:
      description: Its tags.
      type: dict
      sample: {"gh200:fleet": r1, "gh200:node": r1-00}
    fleet:
      description: Name of the fleet of M(gh200.inference.lambda_fleet) that it belongs to; empty if it belongs to none.
      type: str
      sample: r1
    node:
      description: Name of the node that it is in its fleet; empty if it belongs to none.
      type: str
      sample: r1-00
    launched:
      description: When it was launched as node of a fleet, in UTC; null where no tag tells.
      type: str
      sample: "2027-01-15T08:00:00Z"
    expires:
      description: When its life as node of a fleet ends, in UTC; null where no tag tells.
      type: str
      sample: "2027-01-15T09:00:00Z"
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
