#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_image_info
author: gh200.inference contributors (@gh200)
short_description: Machine images of the Lambda Cloud
version_added: 0.1.0
description:
  - Lists the images, once for each region that has it. Options that are given must all match, to the letter.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.info
  - ansible.builtin.action_common_attributes
options:
  family:
    description: Only images of this family.
    type: str
  region:
    description: Only images in this region.
    type: str
  architecture:
    description: Only images for this processor architecture. That of a GH200 is V(arm64).
    type: str
    choices: [x86_64, arm64]
seealso:
  - module: gh200.inference.lambda_fleet
"""

EXAMPLES = r"""
- name: Images for a GH200
  gh200.inference.lambda_image_info:
    family: lambda-stack-22-04
    region: us-east-3
    architecture: arm64
"""

RETURN = r"""
images:
  description: The images.
  type: list
  elements: dict
  returned: success
  contains:
    id:
      description: Id.
      type: str
      sample: 43336648-096d-4cba-9aa2-f9bb7727639d
    name:
      description: Name, for people.
      type: str
      sample: Lambda Stack 22 04
    description:
      description: What it is, for people.
      type: str
      sample: lambda-stack-22-04 for arm64
    family:
      description: Family. A launch that names it gets its newest image.
      type: str
      sample: lambda-stack-22-04
    version:
      description: Version.
      type: str
      sample: 22.4.5
    architecture:
      description: Processor architecture.
      type: str
      sample: arm64
    region:
      description: Name of the region.
      type: str
      sample: us-east-3
    created_time:
      description: When it was made, ISO 8601.
      type: str
      sample: "2026-07-01T00:00:00+00:00"
    updated_time:
      description: When it was last changed, ISO 8601.
      type: str
      sample: "2026-07-01T00:00:00+00:00"
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
