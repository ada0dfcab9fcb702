# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter: what comes in from variables, what comes out, and what it says in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.gh200.inference.plugins.filter import serving_plan as module
from ansible_collections.gh200.inference.plugins.filter.serving_plan import serving_plan

ROLES = Path(__file__).resolve().parents[4] / "roles"
MODELS = yaml.safe_load((ROLES / "gh200/defaults/main/model.yml").read_text(encoding="utf-8"))["gh200_models"]
R1 = MODELS["r1"]["config"]
NODES = {f"r1-{number:02}": f"10.0.0.{number + 1}" for number in range(16)}


def text(plan):
    return "\n".join(plan["advice"])


def test_numbers_may_come_as_text_and_the_config_too():
    assert serving_plan(json.dumps(R1), "16", utilization="0.9", tensor_parallel="4") == serving_plan(
        R1, 16, tensor_parallel=4
    )


def test_the_result_has_what_is_documented():
    documented = yaml.safe_load(module.RETURN)["_value"]["contains"]
    types = {"bool": bool, "str": str, "int": int, "float": (int, float, type(None)), "list": list}
    for plan in (
        serving_plan(R1, 16, nodes=NODES, driver="r1-00", price=2.29),
        serving_plan(R1, 4),
        serving_plan(R1, 16, tensor_parallel=3),
    ):
        assert set(plan) == set(documented)
        assert all(isinstance(plan[key], types[about["type"]]) for key, about in documented.items())


def test_every_option_is_documented_with_its_default():
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    ours = {name: default for name, (dummy, default) in module.NUMBERS.items()} | module.OTHERS
    assert {name: option["default"] for name, option in documented.items() if "default" in option} == ours


def test_the_examples_parse():
    assert len(yaml.safe_load(module.EXAMPLES)) == 3


def test_the_sizes_of_r1_on_sixteen():
    plan = serving_plan(R1, 16, nodes=NODES, driver="r1-03", price=2.29)
    assert (plan["tensor_parallel"], plan["pipeline_parallel"], plan["layer_partition"]) == (4, 4, "16,15,15,15")
    assert [row["node"] for row in plan["ranks"][:4]] == ["r1-03", "r1-00", "r1-09", "r1-10"]
    assert plan["stages"][0]["nodes"] == ["r1-03", "r1-00", "r1-09", "r1-10"] and plan["stages"][3]["ranks"] == [
        12,
        13,
        14,
        15,
    ]
    assert (plan["dollars_per_hour"], plan["idle_dollars_per_hour"], plan["gpus_idle"]) == (36.64, 0, 0)


def test_while_only_the_head_runs_it_has_its_stage():
    (only,) = serving_plan(R1, 16, nodes={"r1-00": "10.0.0.10"})["ranks"]
    assert (only["rank"], only["stage"]) == (0, 0)
    ranks = serving_plan(R1, 16, nodes={"r1-00": "10.0.0.10", "r1-01": "10.0.0.2"})["ranks"]
    assert [row["stage"] for row in ranks] == [0, None]


def test_a_given_order_of_nodes_names_the_driver():
    backwards = dict(reversed(NODES.items()))
    assert serving_plan(R1, 16, nodes=backwards)["ranks"][0]["node"] == "r1-15"
    assert serving_plan(R1, 16, nodes=NODES)["ranks"][0]["node"] == "r1-00"


def test_shards_are_those_of_the_stage():
    index = {
        "weight_map": {f"model.layers.{number}.mlp.weight": f"{number:02}" for number in range(62)}
        | {"lm_head.weight": "head"}
    }
    plan = serving_plan(R1, 16, nodes=NODES, index=index)
    assert plan["stages"][3]["shards"] == [*(f"{number:02}" for number in range(46, 61)), "head"]
    assert plan["ranks"][15]["shards"] == plan["stages"][3]["shards"]
    more = serving_plan(R1, 13, nodes=dict(list(NODES.items())[:13]), index=index)
    assert more["ranks"][12]["stage"] is None and len(more["ranks"][12]["shards"]) == 62


@pytest.mark.parametrize(
    ("gpus", "options", "sentences"),
    [
        (
            1,
            {},
            [
                "does not fit on 1 GPU of 95.6 GiB at utilisation 0.9",
                "stage 0 lacks",
                "10 GPUs (as TP2 x PP5); or 12 GPUs (as TP4 x PP3)",
            ],
        ),
        (
            8,
            {},
            ["utilisation 0.95 (barely, as TP4 x PP2, for requests of at most", "TP4 x PP2 (8 GPUs): stage 0 lacks"],
        ),
        (
            8,
            {"utilization": 0.95},
            ["TP4 x PP2 on 8 of 8", "layers 32,29", "may be wrong by 2.8 GiB", "Beware, it is tight"],
        ),
        (
            8,
            {"utilization": 0.95, "max_model_len": 40000},
            ["for its weights and activations", "What fits: requests of at most"],
        ),
        (
            13,
            {"price": 2.29},
            ["on 12 of 13 GPUs (1 idle)", "1 GPU and $2.29/h would be for nothing: take 12 instead of 13", "$29.77/h"],
        ),
        (14, {}, ["on 12 of 14 GPUs (2 idle)", "The price of a GPU is not known"]),
        (
            16,
            {},
            [
                "TP4 x PP4 on 16 of 16",
                "This is the shape that is measured",
                "TP8 x PP2 (16 GPUs): fits, but two all-reduces",
                "4 schedulers share it",
            ],
        ),
        (32, {}, ["TP4 x PP8 on 32 of 32", "TP32: not legal, expert size 2048 / 32 = 64"]),
        (16, {"tensor_parallel": 8}, ["TP8 x PP2 on 16 of 16", "the shape was set"]),
        (16, {"layer_partition": "15, 15, 15, 16"}, ["TP4 x PP4 on 16 of 16", "layers 15,15,15,16"]),
        (
            16,
            {"tensor_parallel": 2, "pipeline_parallel": 8, "layer_partition": "7,7,7,7,7,7,7,12"},
            ["TP2 x PP8 on 16 of 16 GPUs, layers 7,7,7,7,7,7,7,12"],
        ),
    ],
)
def test_the_advice(gpus, options, sentences):
    advice = text(serving_plan(R1, gpus, **options))
    assert not [sentence for sentence in sentences if sentence not in advice], advice


@pytest.mark.parametrize(
    ("gpus", "options", "verdict"),
    [
        (0, {}, "The number of GPUs is 0"),
        (-1, {}, "The number of GPUs is -1"),
        (
            16,
            {"tensor_parallel": 3},
            "TP3 is not legal for this model: 128 heads cannot be shared by 3 ranks; legal are 1, 2, 4, 8, 16.",
        ),
        (4, {"tensor_parallel": 4, "pipeline_parallel": 4}, "TP4 x PP4 needs 16 GPUs, and there are 4."),
        (64, {"pipeline_parallel": 62}, "PP62 is not legal"),
        (16, {"layer_partition": "16,15,15"}, "must be 3 numbers above 0"),
        (
            8,
            {"tensor_parallel": 4, "pipeline_parallel": 2, "layer_partition": "30,31", "utilization": 0.95},
            "stage 1 lacks",
        ),
    ],
)
def test_a_refusal_is_a_sentence_and_no_error(gpus, options, verdict):
    plan = serving_plan(R1, gpus, **options)
    assert not plan["fits"] and verdict in plan["verdict"]


@pytest.mark.parametrize(
    ("config", "gpus", "options", "words"),
    [
        ("", 4, {}, "playbooks/plan.yml"),
        (None, 4, {}, "is not on the control node"),
        ("{", 4, {}, "no JSON"),
        ({}, 4, {}, "no config.json"),
        ({"architectures": ["GPT2LMHeadModel"]}, 4, {}, "GPT2LMHeadModel is not known"),
        (R1, "many", {}, "a number for gpus"),
        (R1, 4, {"utilization": 1.5}, "utilisation is 1.5"),
        (R1, 4, {"max_model_len": 0}, "longest context is 0"),
        (R1, 4, {"tensor": 4}, "no option tensor"),
        (R1, 1, {"nodes": {"a": "10.0.0.1", "b": "10.0.0.2"}}, "2 nodes, and the plan is for 1"),
        (R1, 1, {"nodes": {"a": "10.0.0.1"}, "driver": "b"}, "driver b is none"),
    ],
)
def test_a_wrong_input_is_one_sentence(config, gpus, options, words):
    with pytest.raises(AnsibleFilterError, match=words):
        serving_plan(config, gpus, **options)


def test_both_models_of_the_role_have_the_sizes_of_deepseek_v3():
    assert MODELS["v3"]["config"] == R1
    assert serving_plan(MODELS["v3"]["config"], 16)["weights_gib"] == pytest.approx(626.9, abs=0.1)


def test_what_the_plan_takes_for_granted_are_the_defaults_of_vllm_serve():
    defaults = yaml.safe_load((ROLES / "vllm_serve/defaults/main.yml").read_text(encoding="utf-8"))
    plan = yaml.safe_load((ROLES / "gh200/defaults/main/plan.yml").read_text(encoding="utf-8"))
    assert f"'vllm_serve_max_model_len', default={defaults['vllm_serve_max_model_len']})" in plan["gh200_plan"]
    assert f"'vllm_serve_max_num_seqs', default={defaults['vllm_serve_max_num_seqs']})" in plan["gh200_plan"]
