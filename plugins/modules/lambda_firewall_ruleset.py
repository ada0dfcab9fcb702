#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_firewall_ruleset
author: gh200.inference contributors (@gh200)
short_description: Firewall ruleset in a Lambda Cloud account
version_added: 0.1.0
description:
  - A ruleset has inbound rules for those instances of its region that were launched with it, beside the rules of the
    account.
  - It cannot be added to an instance later.
  - It is found by name and region; two of them are an error that names their ids.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.changes
  - ansible.builtin.action_common_attributes
options:
  name:
    description: Name of the ruleset, 64 characters at most.
    type: str
    required: true
  region:
    description: Region.
    type: str
    required: true
  state:
    description: V(absent) deletes the ruleset. It is refused while instances use it.
    type: str
    choices: [present, absent]
    default: present
  rules:
    description: The rules, all of them; others of the ruleset are removed. Needed for O(state=present), at most 20.
    type: list
    elements: dict
    suboptions:
      protocol:
        description: What is let in.
        type: str
        choices: [tcp, udp, icmp, all]
        required: true
      port_range:
        description: First and last port, V([22, 22]) or V([22]) for a single one. Needed for all protocols but V(icmp),
          which has none.
        type: list
        elements: int
      source_network:
        description: Who is let in, an IPv4 address or network. V(203.0.113.7) and V(203.0.113.7/32) are the same;
          V(0.0.0.0/0) is everybody.
        type: str
        required: true
      description:
        description: What the rule is for, 128 characters at most. Without it, that of a rule that is there stays.
        type: str
seealso:
  - module: gh200.inference.lambda_firewall_rule
  - module: gh200.inference.lambda_firewall_info
"""

EXAMPLES = r"""
- name: Rules for the fleet
  gh200.inference.lambda_firewall_ruleset:
    name: api
    region: us-east-3
    rules:
      - protocol: tcp
        port_range: [8000, 8000]
        source_network: 203.0.113.0/24
        description: vLLM for the office
      - protocol: icmp
        source_network: 0.0.0.0/0

- name: None any more
  gh200.inference.lambda_firewall_ruleset:
    name: api
    region: us-east-3
    state: absent
"""

RETURN = r"""
ruleset:
  description: The ruleset; empty for O(state=absent).
  type: dict
  returned: success
  contains:
    id:
      description: Id, with which instances are launched; empty in check mode for a ruleset that is not there yet.
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
      description: When it was made, ISO 8601; empty in check mode for a ruleset that is not there yet.
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
