#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_receipt
author: gh200.inference contributors (@gh200)
short_description: What a fleet has cost, and the proof that it costs no more
version_added: 0.1.0
description:
  - Looks at the account and at the fleet's ledger, and tells what each instance has cost and what of the account goes
    on to cost.
  - Fails as long as anything of the fleet is paid for. When nothing is, it writes the receipt as JSON and as a page
    into the folder C(receipts) of the fleet,
    and the next one begins anew. Without anything to account for, no file is written.
  - Dollars are an upper bound, from the launch to the moment at which the instance was seen to end, a begun minute
    whole, at the price of the launch.
    An accepted termination alone proves nothing; one counts from its own time where nobody looked for minutes after it,
    and it then was gone.
  - Instances of others are named and never touched.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.changes
  - ansible.builtin.action_common_attributes
attributes:
  diff_mode:
    support: none
options:
  name:
    description: Name of the fleet.
    type: str
    required: true
  fail_if_billing:
    description: Whether it is an error that something of the fleet is still paid for. Without it, the lines tell of it.
    type: bool
    default: true
  state_dir:
    description: Folder of M(gh200.inference.lambda_fleet). Default is the environment variable E(GH200_STATE_DIR), then
      C(~/.local/state/gh200).
    type: path
seealso:
  - module: gh200.inference.lambda_fleet
"""

EXAMPLES = r"""
- name: End the fleet
  gh200.inference.lambda_fleet:
    name: r1
    state: absent

- name: Prove it
  gh200.inference.lambda_receipt:
    name: r1
  register: proof

- name: Show it
  ansible.builtin.debug:
    msg: "{{ proof.lines }}"
"""

RETURN = r"""
receipt:
  description: The receipt.
  type: dict
  returned: success
  contains:
    fleet:
      description: Name of the fleet.
      type: str
    made:
      description: When it was made (UTC).
      type: str
      sample: "2026-11-24T10:00:00Z"
    complete:
      description: Whether nothing of the fleet is paid for any more.
      type: bool
    nodes:
      description: Each instance that the fleet had since the last receipt.
      type: list
      elements: dict
      contains:
        node:
          description: Name of the node.
          type: str
        id:
          description: Id of the instance; empty for a launch without a clear answer that never showed, which may have
            cost something until it was missed.
          type: str
        instance_type:
          description: Instance type.
          type: str
        region:
          description: Region.
          type: str
        from:
          description: When its launch was asked for (UTC).
          type: str
        to:
          description: When it was seen to end, or its end was accepted (UTC); null while it is paid for.
          type: str
        minutes:
          description: Minutes between them, a begun one whole.
          type: int
        price_per_hour:
          description: Dollars per hour.
          type: float
        dollars:
          description: What it cost, at most.
          type: float
        why:
          description: Why it was terminated; empty when it was not by us.
          type: str
    total:
      description: Sums of these.
      type: dict
      contains:
        instances:
          description: Number of instances.
          type: int
        minutes:
          description: Minutes of all.
          type: int
        dollars:
          description: Dollars of all.
          type: float
    unread_lines:
      description: Number of lines that were set aside from the ledger (C(ledger.odd)); what only they told of is not
        counted.
      type: int
    still_ours:
      description: Instances of the fleet that are still paid for.
      type: list
      elements: dict
    not_ours:
      description: Other instances of the account, with the C(fleet) they are of, if any.
      type: list
      elements: dict
    filesystems:
      description: Filesystems, which cost by the month whether they are used or not.
      type: list
      elements: dict
      sample: [{name: shared, id: 398578a2336b49079e74043f0bd2cfe8, region: us-east-3, is_in_use: false,
      dollars_per_month: 128.4}]
    ssh_keys:
      description: Names of the account's ssh keys, which are free.
      type: list
      elements: str
    firewall_rules:
      description: Number of firewall rules for all instances, which are free.
      type: int
    firewall_rulesets:
      description: Firewall rulesets with their regions, which are free.
      type: list
      elements: str
lines:
  description: The same for people.
  type: list
  elements: str
  returned: success
json:
  description: File with the receipt on the control node; empty when none was written.
  type: str
  returned: success
page:
  description: The same as a page, to be opened in a browser; empty when none was written.
  type: str
  returned: success
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
