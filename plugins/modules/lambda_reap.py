#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_reap
author: gh200.inference contributors (@gh200)
short_description: End what is past its life
version_added: 0.1.0
description:
  - Terminates nodes of fleets that are past the end that M(gh200.inference.lambda_fleet) stamped on them at launch
    (its option O(gh200.inference.lambda_fleet#module:max_life)), and waits until they are gone.
  - Only the stamp counts, never a name or an age. Instances without the tags of a fleet are never touched; nodes
    without an end are only told of.
  - Needs nothing but the key, so it can run anywhere, for example from cron. In check mode it only tells what it would
    end.
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
    description: Only the fleet of exactly this name. Empty for all.
    type: str
    default: ""
  deadline:
    description: Seconds within which they must be gone.
    type: float
    default: 900
  poll_interval:
    description: Seconds between two looks.
    type: float
    default: 5
  resend_interval:
    description: Seconds after which an instance that still lives is told to end again.
    type: float
    default: 60
  settle_time:
    description: Seconds for which a launch without a clear answer is looked for before it counts as not made in the
      ledger.
    type: float
    default: 30
  state_dir:
    description:
      - Folder for the ledgers, which get a note of what was ended.
      - Default is the environment variable E(GH200_STATE_DIR), then C(~/.local/state/gh200).
    type: path
seealso:
  - module: gh200.inference.lambda_fleet
"""

EXAMPLES = r"""
- name: What would be ended
  gh200.inference.lambda_reap:
  check_mode: true
  register: due

- name: End it
  gh200.inference.lambda_reap:
"""

RETURN = r"""
terminated:
  description: Ids that were terminated, or would be.
  type: list
  elements: str
  returned: success
expired:
  description: What was, or would be, terminated, as it was before.
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
without_end:
  description: Nodes of fleets that have no end stamped on them.
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
