#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_firewall_info
author: gh200.inference contributors (@gh200)
short_description: Firewall of a Lambda Cloud account
version_added: 0.1.0
description:
  - Lists the inbound rules that hold for all instances of the account, and the rulesets that only instances have that
    were launched with them.
  - In the region us-south-1 no rule has an effect, says Lambda.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.info
  - ansible.builtin.action_common_attributes
seealso:
  - module: gh200.inference.lambda_firewall_rule
  - module: gh200.inference.lambda_firewall_ruleset
"""

EXAMPLES = r"""
- name: What is open
  gh200.inference.lambda_firewall_info:
  register: firewall

- name: Who may use ssh
  ansible.builtin.debug:
    msg: "{{ firewall.rules | selectattr('description', 'search', 'ssh') | map(attribute='source_network') }}"
"""

RETURN = r"""
rules:
  description: The rules for all instances, sorted.
  type: list
  elements: dict
  returned: success
  contains:
    protocol:
      description: V(tcp), V(udp), V(icmp) or V(all).
      type: str
      sample: tcp
    port_range:
      description: First and last port. A rule for V(icmp) has none.
      type: list
      elements: int
      sample: [22, 22]
    source_network:
      description: Who is let in, as a network.
      type: str
      sample: 203.0.113.7/32
    description:
      description: What it is for.
      type: str
      sample: ssh from home
rulesets:
  description: The rulesets.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: Id, with which instances are launched.
      type: str
      sample: c4d291f47f9d436fa39f58493ce3b50d
    name:
      description: Name.
      type: str
      sample: api
    region:
      description: Name of the region.
      type: str
      sample: us-east-3
    rules:
      description: Its rules, sorted.
      type: list
      elements: dict
      contains:
        protocol:
          description: V(tcp), V(udp), V(icmp) or V(all).
          type: str
          sample: tcp
        port_range:
          description: First and last port. A rule for V(icmp) has none.
          type: list
          elements: int
          sample: [22, 22]
        source_network:
          description: Who is let in, as a network.
          type: str
          sample: 203.0.113.7/32
        description:
          description: What it is for.
          type: str
          sample: ssh from home
    created:
      description: When it was made, ISO 8601.
      type: str
      sample: "2026-11-01T00:00:00+00:00"
    instance_ids:
      description: Ids of the instances that use it.
      type: list
      elements: str
      sample: [0920582c7ff041399e34823a0be62549]
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
