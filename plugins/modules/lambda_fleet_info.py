#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_fleet_info
author: gh200.inference contributors (@gh200)
short_description: Fleets of a Lambda Cloud account with age, cost and end
version_added: 0.1.0
description:
  - Tells what runs, by fleet, from the account's list alone, so that any machine with the key can ask.
  - Dollars are counted from the launch at the present price, which is the upper bound of what is billed.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.info
  - ansible.builtin.action_common_attributes
options:
  name:
    description: Only the fleet of exactly this name. Empty for all.
    type: str
    default: ""
seealso:
  - module: gh200.inference.lambda_fleet
"""

EXAMPLES = r"""
- name: All fleets
  gh200.inference.lambda_fleet_info:
  register: status

- name: What they cost
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.size }} nodes, {{ item.price_per_hour }} dollars per hour, {{ item.dollars }} so far"
  loop: "{{ status.fleets }}"
"""

RETURN = r"""
fleets:
  description: The fleets, by name.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name of the fleet.
      type: str
      sample: r1
    size:
      description: Number of its nodes.
      type: int
      sample: 16
    price_per_hour:
      description: Dollars per hour of all nodes.
      type: float
      sample: 36.64
    dollars:
      description: What these cost so far, at most.
      type: float
      sample: 37.5
    minutes_left:
      description: Minutes until the first of them is past its life, or null.
      type: float
    nodes:
      description: Its nodes.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the node, or of the instance.
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
        instance_type:
          description: Instance type.
          type: str
          sample: gpu_1x_gh200
        region:
          description: Region.
          type: str
          sample: us-east-3
        ip:
          description: Public address, empty while there is none.
          type: str
          sample: 192.0.2.10
        private_ip:
          description: Private address, empty where there is none.
          type: str
          sample: 10.19.0.10
        price_per_hour:
          description: Dollars per hour.
          type: float
          sample: 2.29
        launched:
          description: When it was launched (UTC), null where that was not stamped.
          type: str
          sample: "2026-11-24T09:00:00Z"
        age_minutes:
          description: Minutes since then, or null.
          type: float
          sample: 61.5
        dollars:
          description: What these cost, at most, or null.
          type: float
          sample: 2.35
        expires:
          description: End of its life as stamped at launch (UTC), or null.
          type: str
          sample: "2026-11-25T09:00:00Z"
        minutes_left:
          description: Minutes until then, negative when it is past, or null.
          type: float
          sample: 1378.5
        is_expired:
          description: Whether it is past its life.
          type: bool
others:
  description: Instances that are no fleet's, as the nodes above.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name of the node, or of the instance.
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
    instance_type:
      description: Instance type.
      type: str
      sample: gpu_1x_gh200
    region:
      description: Region.
      type: str
      sample: us-east-3
    ip:
      description: Public address, empty while there is none.
      type: str
      sample: 192.0.2.10
    private_ip:
      description: Private address, empty where there is none.
      type: str
      sample: 10.19.0.10
    price_per_hour:
      description: Dollars per hour.
      type: float
      sample: 2.29
    launched:
      description: When it was launched (UTC), null where that was not stamped.
      type: str
      sample: "2026-11-24T09:00:00Z"
    age_minutes:
      description: Minutes since then, or null.
      type: float
      sample: 61.5
    dollars:
      description: What these cost, at most, or null.
      type: float
      sample: 2.35
    expires:
      description: End of its life as stamped at launch (UTC), or null.
      type: str
      sample: "2026-11-25T09:00:00Z"
    minutes_left:
      description: Minutes until then, negative when it is past, or null.
      type: float
      sample: 1378.5
    is_expired:
      description: Whether it is past its life.
      type: bool
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
