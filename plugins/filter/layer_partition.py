# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How many layers each pipeline stage gets."""

from __future__ import annotations

DOCUMENTATION = r"""
name: layer_partition
author: gh200.inference contributors (@gh200)
short_description: Cut the layers of a model into pipeline stages
version_added: 0.1.0
description:
  - Gives the number of layers for each pipeline stage, for C(VLLM_PP_LAYER_PARTITION).
  - vLLM 0.7.2 gives the last stage the whole remainder, which does not fit into memory for some shapes.
    Here no stage has more layers with experts than it must, and the first stages take the remainder, for the dense
    layers at the beginning weigh little.
positional: stages
options:
  _input:
    description: Number of hidden layers of the model.
    type: int
    required: true
  stages:
    description: Number of pipeline stages.
    type: int
    required: true
  dense:
    description: Number of dense layers at the beginning of the model.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: DeepSeek R1 on 4 pipeline stages
  ansible.builtin.debug:
    msg: "{{ 61 | gh200.inference.layer_partition(4, dense=3) }}"  # [16, 15, 15, 15]
"""

RETURN = r"""
_value:
  description: Layers per stage, first stage first. Their sum is the number of layers.
  type: list
  elements: int
"""

from ansible.errors import AnsibleFilterError


def layer_partition(layers, stages, dense=0):
    """Layers per stage: first the fewest expert layers on the heaviest stage, then the fewest layers on the longest.

    A dense layer of DeepSeek V3 weighs 0.58 GB and one with experts 11.5 GB, while each layer's KV cache is the same size.
    """
    try:
        layers, stages, dense = int(layers), int(stages), int(dense)
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"layer_partition wants whole numbers: {error}") from error
    if not 1 <= stages <= layers:
        raise AnsibleFilterError(f"layer_partition cannot cut {layers} layers into {stages} pipeline stages; use 1 to {layers} stages.")
    if not 0 <= dense <= layers:
        raise AnsibleFilterError(f"layer_partition was told of {dense} dense layers in a model of {layers} layers.")
    if dense == layers:
        dense = 0  # all are alike
    heaviest = -(-(layers - dense) // stages)  # layers with experts that some stage must bear in any case
    first = max(layers - (stages - 1) * heaviest, -(-layers // stages))
    if stages == 1:
        return [layers]
    each, left = divmod(layers - first, stages - 1)
    return [first] + [each + 1] * left + [each] * (stages - 1 - left)


class FilterModule:
    """Filters of this file."""

    def filters(self):
        """Name to function."""
        return {"layer_partition": layer_partition}
