#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_region_info
author: gh200.inference contributors (@gh200)
short_description: Regions of the Lambda Cloud
version_added: 0.1.0
description:
  - Lists the regions.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.info
  - ansible.builtin.action_common_attributes
seealso:
  - module: gh200.inference.lambda_instance_type_info
"""

EXAMPLES = r"""
- name: Where Lambda has machines
  gh200.inference.lambda_region_info:
"""

RETURN = r"""
regions:
  description: The regions.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name.
      type: str
      sample: us-east-3
    description:
      description: Where it is.
      type: str
      sample: Washington DC, USA
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
