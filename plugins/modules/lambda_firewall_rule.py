#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_firewall_rule
author: gh200.inference contributors (@gh200)
short_description: Inbound rules of all instances of a Lambda Cloud account
version_added: 0.1.0
description:
  - These rules belong to the account and hold for all of its instances, whoever launched them.
  - They are never replaced blind. What is there is read right before each change, merged with what is declared, and
    read again afterwards.
  - A change that would leave no rule that lets TCP 22 in is refused, since nobody could reach an instance any more.
  - A change that would make more than 20 rules is refused. With more, Lambda says, new instances may not launch.
  - Two rules are the same if they let the same in. Descriptions are for people.
  - In the region us-south-1 no rule has an effect, says Lambda.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.changes
  - ansible.builtin.action_common_attributes
options:
  rules:
    description: The rules.
    type: list
    elements: dict
    required: true
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
  state:
    description:
      - V(present) adds these rules to those that are there.
      - V(absent) removes these rules, whatever their description is, and keeps the others.
      - V(exact) makes these the only rules, and removes all others of the account.
    type: str
    choices: [present, absent, exact]
    default: present
seealso:
  - module: gh200.inference.lambda_firewall_ruleset
  - module: gh200.inference.lambda_firewall_info
"""

EXAMPLES = r"""
- name: The API is open to the office
  gh200.inference.lambda_firewall_rule:
    rules:
      - protocol: tcp
        port_range: [8000, 8000]
        source_network: 203.0.113.0/24
        description: vLLM for the office

- name: And closed again
  gh200.inference.lambda_firewall_rule:
    rules:
      - protocol: tcp
        port_range: [8000, 8000]
        source_network: 203.0.113.0/24
    state: absent

- name: Only ssh, and only from home
  gh200.inference.lambda_firewall_rule:
    rules:
      - protocol: tcp
        port_range: [22, 22]
        source_network: 203.0.113.7
        description: ssh from home
    state: exact
"""

RETURN = r"""
rules:
  description: All rules of the account after the task, sorted.
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
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
