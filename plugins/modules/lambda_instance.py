#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_instance
author: gh200.inference contributors (@gh200)
short_description: Rename, restart or terminate one instance in the Lambda Cloud
version_added: 0.1.0
description:
  - Works on one instance by its exact id. A name is never enough, since several instances may have the same one.
  - Instances are launched by M(gh200.inference.lambda_fleet) only.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.changes
  - ansible.builtin.action_common_attributes
attributes:
  idempotent:
    support: partial
    details:
      - With O(state=restarted) the instance is restarted each time.
options:
  id:
    description: Id of the instance.
    type: str
    required: true
  state:
    description:
      - V(present) makes sure that the instance is there, and gives it O(name).
      - V(restarted) reboots it, and does not wait until it has booted.
      - V(absent) terminates it and waits until the API shows it no more. What is on its disk is lost; filesystems are
        kept.
      - With V(present) and V(restarted), an id that is not there is an error.
    type: str
    choices: [present, restarted, absent]
    default: present
  name:
    description: Name that the instance shall have, 64 characters at most. Without it the name stays. Used with
      O(state=present).
    type: str
  timeout:
    description: Seconds within which a terminated instance must be gone.
    type: float
    default: 600
  poll_interval:
    description: Seconds between two looks at an instance that is to be gone.
    type: float
    default: 5
seealso:
  - module: gh200.inference.lambda_instance_info
  - module: gh200.inference.lambda_fleet
"""

EXAMPLES = r"""
- name: Find the notebook
  gh200.inference.lambda_instance_info:
    name: notebook
  register: found

- name: Give it another name
  gh200.inference.lambda_instance:
    id: "{{ found.instances[0].id }}"
    name: notebook-of-ada

- name: Reboot it
  gh200.inference.lambda_instance:
    id: "{{ found.instances[0].id }}"
    state: restarted

- name: Terminate it
  gh200.inference.lambda_instance:
    id: "{{ found.instances[0].id }}"
    state: absent
"""

RETURN = r"""
instance:
  description: The instance as it was when the task began, with its new name; empty for O(state=absent).
  type: dict
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
