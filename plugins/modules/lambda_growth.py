#!/usr/bin/python
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documentation; the work is done by the action plugin of the same name, on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: lambda_growth
author: gh200.inference contributors (@gh200)
short_description: Whether a fleet starts whole or with its head, and what both cost
version_added: 0.1.0
description:
  - Without wheels of vLLM the head of a fleet compiles for most of an hour, and the other nodes wait for it and are
    paid for. Tells before the first launch what it costs and takes to launch all at once, and to launch the head, let
    it build, and launch the others then.
  - Prices are those of the catalogue at this moment. Times are those of earlier runs of this control node for the same
    lane and instance type, where there were any, else the usual ones.
  - Launches nothing. O(state=noted) writes what a run has found into O(state_dir), for the next one.
extends_documentation_fragment:
  - gh200.inference.lambda_cloud
  - gh200.inference.attributes
  - gh200.inference.attributes.info
  - ansible.builtin.action_common_attributes
options:
  state:
    description: V(told) decides and tells; V(noted) notes that O(filesystem) holds O(wheels), and how long the parts of
      a run took.
    type: str
    choices: [told, noted]
    default: told
  size:
    description: Number of nodes.
    type: int
    default: 1
  running:
    description: Number of nodes that run already. Times of a run that found some are not noted.
    type: int
    default: 0
  growth:
    description: V(auto) is V(at_once) where the wheels are, and V(build_first) where they must be built.
    type: str
    choices: [auto, build_first, at_once]
    default: auto
  instance_type:
    description: Instance type of the nodes.
    type: str
    default: gpu_1x_gh200
  region:
    description: Regions in which the filesystem may be; empty for all.
    type: list
    elements: str
    default: []
  filesystem:
    description: Name of the shared filesystem, which may hold the wheels. It is known by its id, so that a new one of
      the same name holds none.
    type: str
    default: ""
  lane:
    description: How vLLM is built; a part of what times are noted for.
    type: str
    default: source
  wheels:
    description: Names of the folders of the wheels that are needed; empty where nothing is compiled.
    type: list
    elements: str
    default: []
  wheel_cache:
    description: Folder on the control node that has a copy of wheels.
    type: path
  moments:
    description: For O(state=noted), seconds since 1970 at which a run C(began), had C(built), launched the others
      (C(grew)), had C(fetched) the models and C(served); those that are known.
    type: dict
    default: {}
  builds:
    description: For O(state=noted), whether the run had to build.
    type: bool
    default: false
  state_dir:
    description: Folder of the notes. Default is the environment variable E(GH200_STATE_DIR), then
      C(~/.local/state/gh200).
    type: path
seealso:
  - module: gh200.inference.lambda_fleet
  - module: gh200.inference.lambda_instance_type_info
"""

EXAMPLES = r"""
- name: What sixteen nodes cost until the first token
  gh200.inference.lambda_growth:
    size: 16
    region: [us-east-3]
    filesystem: shared
    wheels: [vllm-0.7.2-cuda-cp311-aarch64-0123456789]
    wheel_cache: ~/wheelhouse
  register: growth

- name: Tell
  ansible.builtin.debug:
    msg: "{{ growth.lines }}"

- name: Note what the filesystem holds now
  gh200.inference.lambda_growth:
    state: noted
    region: [us-east-3]
    filesystem: shared
    wheels: [vllm-0.7.2-cuda-cp311-aarch64-0123456789]
    builds: true
    moments: {began: 1764000000, built: 1764002700}
"""

RETURN = r"""
growth:
  description: What is to be done, V(build_first) or V(at_once).
  type: str
  returned: O(state=told)
  sample: build_first
builds:
  description: Whether wheels must be built.
  type: bool
  returned: O(state=told)
wheels_on:
  description: Where the wheels are, V(control node) or V(filesystem); V(nowhere needed) where nothing is compiled, and
    empty where they must be built.
  type: str
  returned: O(state=told)
  sample: filesystem
price_per_hour:
  description: US dollars per hour for one node; 0 for an instance type that there is not.
  type: float
  returned: O(state=told)
  sample: 2.29
ways:
  description: Both ways until the first token, and the build alone, rounded up.
  type: dict
  returned: O(state=told)
  contains:
    build:
      description: The head alone until it has built, with minutes and dollars.
      type: dict
      sample: {minutes: 45, dollars: 2}
    build_first:
      description: The head first, with minutes and dollars.
      type: dict
      sample: {minutes: 65, dollars: 14}
    at_once:
      description: All at once, with minutes and dollars.
      type: dict
      sample: {minutes: 55, dollars: 34}
lines:
  description: The same for people, line by line; empty for an instance type that there is not.
  type: list
  elements: str
  returned: O(state=told)
build_line:
  description: What it costs to have the wheels and no more, for people.
  type: str
  returned: O(state=told)
notes:
  description: File with what earlier runs have noted.
  type: str
  returned: success
failure:
  description: What kind of refusal it was, for programs, with the API's code and status.
  type: dict
  returned: failure of a call
  sample: {kind: key, code: global/invalid-api-key, status: 401}
"""
