#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_instance_type_info
author: gh200.inference contributors (@gh200)
short_description: Instance types of the Lambda Cloud, with price and capacity
version_added: 0.1.0
description:
  - Lists the catalogue, sorted by name.
  - The capacity that it shows is a hint. Launches have been refused where it showed some, and won where it showed none.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.info
  - ansible.builtin.action_common_attributes
options:
  name:
    description: Only the instance type of exactly this name.
    type: str
  region:
    description: Only instance types that show capacity in this region at this moment.
    type: str
seealso:
  - module: gh200.inference.lambda_region_info
  - module: gh200.inference.lambda_fleet
"""

EXAMPLES = r"""
- name: What a GH200 costs, and where there is one
  gh200.inference.lambda_instance_type_info:
    name: gpu_1x_gh200
  register: gh200

- name: Tell
  ansible.builtin.debug:
    msg: "{{ gh200.instance_types[0].price_per_hour }} dollars per hour in {{ gh200.instance_types[0].regions | join(',
    ') }}"

- name: What can be had next to the filesystem
  gh200.inference.lambda_instance_type_info:
    region: us-east-3
"""

RETURN = r"""
instance_types:
  description: The instance types.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name.
      type: str
      sample: gpu_1x_gh200
    description:
      description: What it is, for people.
      type: str
      sample: 1x GH200 (96 GB)
    gpu_description:
      description: Its GPU, for people.
      type: str
      sample: GH200 (96 GB)
    architecture:
      description: V(arm64) or V(x86_64); empty where the API does not say.
      type: str
      sample: arm64
    price_per_hour:
      description: US dollars per hour.
      type: float
      sample: 2.29
    regions:
      description: Names of the regions that show capacity at this moment.
      type: list
      elements: str
      sample: [us-east-3]
    vcpus:
      description: Number of virtual CPUs.
      type: int
      sample: 64
    memory_gib:
      description: Memory in GiB.
      type: int
      sample: 432
    storage_gib:
      description: Disk in GiB.
      type: int
      sample: 4096
    gpus:
      description: Number of GPUs.
      type: int
      sample: 1
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
