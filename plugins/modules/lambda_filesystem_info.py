#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_filesystem_info
author: gh200.inference contributors (@gh200)
short_description: Filesystems of a Lambda Cloud account
version_added: 0.1.0
description:
  - Lists the filesystems, with what they cost. Options that are given must both match, to the letter.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.info
  - ansible.builtin.action_common_attributes
options:
  name:
    description: Only filesystems of exactly this name.
    type: str
  region:
    description: Only filesystems in this region.
    type: str
seealso:
  - module: gh200.inference.lambda_filesystem
"""

EXAMPLES = r"""
- name: What is kept, and paid for
  gh200.inference.lambda_filesystem_info:
  register: kept

- name: Tell
  ansible.builtin.debug:
    msg: "{{ kept.filesystems | map(attribute='dollars_per_month') | sum }} dollars per month"
"""

RETURN = r"""
filesystems:
  description: The filesystems.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: Id.
      type: str
      sample: 398578a2336b49079e74043f0bd2cfe8
    name:
      description: Name.
      type: str
      sample: shared
    region:
      description: Name of the region.
      type: str
      sample: us-east-3
    mount_point:
      description: Where instances have it, unless they were launched with another place for it.
      type: str
      sample: /lambda/nfs/shared
    created:
      description: When it was made, ISO 8601.
      type: str
      sample: "2026-11-01T00:00:00+00:00"
    is_in_use:
      description: Whether an instance has it.
      type: bool
      sample: true
    bytes_used:
      description: What the API says is in it. It is an estimate of some hours ago, and has been seen far too small.
        V(null) where the API says nothing.
      type: int
      sample: 688586727424
    dollars_per_month:
      description:
        - What RV(filesystems[].bytes_used) cost per month, in US dollars, at 0.20 per GiB.
        - That is the rate in Lambda's documentation; no call of the API tells it.
        - As good as that estimate, and no better. A filesystem is paid for as long as it exists, in use or not. V(null)
          where the API says nothing.
      type: float
      sample: 128.26
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
