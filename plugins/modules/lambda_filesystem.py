#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_filesystem
author: gh200.inference contributors (@gh200)
short_description: Shared filesystem in a Lambda Cloud account
version_added: 0.1.0
description:
  - Creates an empty filesystem in a region, or deletes one with all that is in it.
  - It is found by name and region; two of them are an error that names their ids.
  - A filesystem can only be attached at launch and only in its region, and is paid for by what is in it until it is
    deleted.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.changes
  - ansible.builtin.action_common_attributes
options:
  name:
    description: Name of the filesystem, 1 to 60 letters, digits and dashes, with a letter first.
    type: str
    required: true
  region:
    description: Region.
    type: str
    required: true
  state:
    description:
      - V(present) waits until the API shows what was made, up to O(timeout).
      - V(absent) deletes the filesystem and waits until the API shows it no more.
      - It is refused while an instance that is alive uses it. If only instances that have ended hold it, it is waited
        for, up to O(timeout).
    type: str
    choices: [present, absent]
    default: present
  timeout:
    description: Seconds to wait until a filesystem that was made is seen, or one is released by instances that have
      ended.
    type: float
    default: 300
  poll_interval:
    description: Seconds between two looks at a filesystem that is not seen or not released yet.
    type: float
    default: 5
seealso:
  - module: gh200.inference.lambda_filesystem_info
"""

EXAMPLES = r"""
- name: A share for the models
  gh200.inference.lambda_filesystem:
    name: models
    region: us-east-3

- name: No share any more
  gh200.inference.lambda_filesystem:
    name: models
    region: us-east-3
    state: absent
"""

RETURN = r"""
filesystem:
  description: The filesystem; empty for O(state=absent).
  type: dict
  returned: success
  contains:
    id:
      description: Id; empty in check mode for a filesystem that is not there yet.
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
      description: When it was made, ISO 8601; empty in check mode for a filesystem that is not there yet.
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
        - What RV(filesystem.bytes_used) cost per month, in US dollars, at 0.20 per GiB.
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
