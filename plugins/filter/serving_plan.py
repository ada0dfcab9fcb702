# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a model is cut over GPUs, and whether it fits."""

from __future__ import annotations

DOCUMENTATION = r"""
name: serving_plan
author: gh200.inference contributors (@gh200)
short_description: Plan how a model is served on a number of GPUs
version_added: 0.1.0
description:
  - From a model's C(config.json) and the GPUs, gives tensor and pipeline parallel sizes, layers per pipeline stage,
    memory of weights and KV cache, what requests get, which node is which rank, and the reasons.
  - The rules are those of vLLM 0.7.2 with one GPU on each node and Ethernet between them.
    Known are DeepSeek V3 and V2, with and without fp8 blocks; for another architecture it fails.
  - Memory is an estimate that may be wrong by 3 GB per GPU. What fits by less is called tight.
positional: gpus
options:
  _input:
    description: Contents of the model's C(config.json), as a dictionary or as text.
    type: raw
    required: true
  gpus:
    description: Number of GPUs, each on a node of its own.
    type: int
    required: true
  memory_mib:
    description: Memory of a GPU in MiB, as C(nvidia-smi) shows it.
    type: float
    default: 97871
  utilization:
    description: Share of it that the engine may use.
    type: float
    default: 0.9
  max_model_len:
    description: Tokens of prompt and answer together that a request may have.
    type: int
    default: 8000
  max_num_seqs:
    description: Requests at once, per pipeline stage, since each has a scheduler of its own.
    type: int
    default: 64
  activation_gib:
    description: GiB on each GPU for all that is neither weights nor KV cache, for up to 8192 tokens of prompt.
    type: float
    default: 4.66
  dtype:
    description: Number format of what is not quantised, as in C(--dtype); V(auto) is that of the model.
    type: str
    default: auto
  tensor_parallel:
    description: Tensor parallel size that must be used; 0 leaves it to the plan.
    type: int
    default: 0
  pipeline_parallel:
    description: Pipeline parallel size that must be used; 0 leaves it to the plan.
    type: int
    default: 0
  layer_partition:
    description: Layers per pipeline stage that must be used, with commas between them; empty leaves them to the plan.
    type: str
    default: ""
  price:
    description: Dollars per GPU and hour; 0 where it is not known.
    type: float
    default: 0
  nodes:
    description: Nodes by name, each with the address that Ray and vLLM know it by, as text. One for each GPU; while
      there are fewer, only the driver's rank is known.
    type: dict
    default: {}
  driver:
    description: Name of the node on which vLLM is started; the first of O(nodes) if empty.
    type: str
    default: ""
  index:
    description: Contents of the model's C(model.safetensors.index.json), for knowing which node needs which files.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Plan for 16 GPUs
  ansible.builtin.debug:
    msg: "{{ (config | gh200.inference.serving_plan(16)).verdict }}"

- name: Refuse what does not fit, and say what would
  ansible.builtin.assert:
    that: plan.fits
    fail_msg: "{{ plan.verdict }}"
  vars:
    plan: "{{ config | gh200.inference.serving_plan(8, utilization=0.95, max_model_len=16384) }}"

- name: Show which node is in which pipeline stage
  ansible.builtin.debug:
    msg: "{{ plan.ranks | items2dict(key_name='node', value_name='stage') }}"
  vars:
    nodes: {r1-00: 10.0.0.10, r1-01: 10.0.0.2}
    plan: "{{ config | gh200.inference.serving_plan(2, memory_mib=640000, nodes=nodes) }}"
"""

RETURN = r"""
_value:
  description: The plan. Sizes are 0 where the shape that was asked for is not legal.
  type: dict
  contains:
    fits:
      description: Whether the model fits. If not, the sizes are those of the shape that comes nearest.
      type: bool
    verdict:
      description: The choice in a sentence, or why nothing fits and what would.
      type: str
    advice:
      description: The plan in words, line by line.
      type: list
      elements: str
    architecture:
      description: Architecture of the model.
      type: str
    layers:
      description: Layers of the model.
      type: int
    weights_gib:
      description: GiB of weights, once.
      type: float
    gpus:
      description: Number of GPUs that there are.
      type: int
    gpus_used:
      description: Number of GPUs that the shape uses.
      type: int
    gpus_idle:
      description: Number of GPUs that it does not.
      type: int
    tensor_parallel:
      description: Tensor parallel size.
      type: int
    pipeline_parallel:
      description: Pipeline parallel size.
      type: int
    layer_partition:
      description: Layers per pipeline stage, for C(VLLM_PP_LAYER_PARTITION) in the environment of every rank.
      type: str
    kv_tokens:
      description: Tokens that the KV cache holds in all.
      type: int
    kv_tokens_per_request:
      description: Tokens of it that one request can have, since each pipeline stage schedules its own share.
      type: int
    stages:
      description: >-
        The pipeline stages, each with stage, first_layer, last_layer, layers, weights_gib, kv_gib, kv_tokens, lacks_gib
        (per GPU), ranks, nodes and shards. Each node needs all small files of the model as well.
      type: list
      elements: dict
    ranks:
      description: >-
        The nodes by rank, each with node, address, rank, stage and shards. With more nodes than GPUs that are used,
        rank and stage are null for all but the driver, for Ray chooses, and shards are those of all stages. With fewer
        it is the same, for the addresses of those to come decide.
      type: list
      elements: dict
    shapes:
      description: >-
        All legal shapes, each with tensor_parallel, pipeline_parallel, layer_partition, gpus, fits, weights_gib
        and kv_gib by stage, kv_tokens, kv_tokens_per_request and why_not, which is empty if memory is no obstacle.
      type: list
      elements: dict
    dollars_per_hour:
      description: Price of all GPUs; null where it is not known.
      type: float
    idle_dollars_per_hour:
      description: Price of those that are not used; null where it is not known.
      type: float
"""

import functools
import json

from ansible.errors import AnsibleFilterError
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan import plan
from ansible_collections.gh200.inference.plugins.plugin_utils.serving_plan.errors import PlanError

NUMBERS = {
    "memory_mib": (float, 97871),
    "utilization": (float, 0.9),
    "max_model_len": (int, 8000),
    "max_num_seqs": (int, 64),
    "activation_gib": (float, 4.66),
    "tensor_parallel": (int, 0),
    "pipeline_parallel": (int, 0),
    "price": (float, 0),
}
OTHERS = {"dtype": "auto", "layer_partition": "", "nodes": {}, "driver": "", "index": {}}


def serving_plan(config, gpus, **options):
    """The plan for a model's config.json on so many GPUs; see DOCUMENTATION. A wrong input is an AnsibleFilterError."""
    unknown = sorted(set(options) - set(NUMBERS) - set(OTHERS))
    if unknown:
        raise AnsibleFilterError(f"serving_plan has no option {unknown[0]}.")
    values = {name: _number(name, kind, options.get(name, default)) for name, (kind, default) in NUMBERS.items()}
    values |= {name: options.get(name) or default for name, default in OTHERS.items()}
    # The same question comes from many variables and hosts of a run.
    question = {"config": _loaded(config), "gpus": _number("gpus", int, gpus), **values, "order": list(values["nodes"])}
    return json.loads(_answer(json.dumps(question, sort_keys=True)))


def _number(name, kind, value):
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"serving_plan wants a number for {name}, and got {value!r}.") from error


def _loaded(config):
    if isinstance(config, (str, type(None))) and not (config or "").strip():
        raise AnsibleFilterError(
            "The config.json of the model is not on the control node: "
            "playbooks/plan.yml and playbooks/provision.yml fetch it, run one of them."
        )
    try:
        return json.loads(config) if isinstance(config, str) else config
    except ValueError as error:
        raise AnsibleFilterError(f"The config.json of the model is no JSON: {error}.") from error


@functools.lru_cache(maxsize=64)
def _answer(question):
    asked = json.loads(question)
    index = asked["index"]
    try:
        setup = plan.setup(
            asked["memory_mib"],
            asked["utilization"],
            asked["max_model_len"],
            asked["max_num_seqs"],
            asked["activation_gib"],
        )
        wanted = plan.Wanted(
            asked["tensor_parallel"], asked["pipeline_parallel"], asked["layer_partition"].replace(" ", "")
        )
        hardware = plan.Hardware(
            asked["gpus"],
            asked["price"],
            asked["nodes"],
            asked["driver"] or next(iter(asked["order"]), ""),
            index.get("weight_map", index),
        )
        return json.dumps(plan.make(asked["config"], hardware, setup, wanted, asked["dtype"]))
    except PlanError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Filters of this file."""

    def filters(self):
        """Name to function."""
        return {"serving_plan": serving_plan}
