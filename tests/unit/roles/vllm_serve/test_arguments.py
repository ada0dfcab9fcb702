# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the command, as the version of the engine has them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLE = Path(__file__).resolve().parents[4] / "roles/vllm_serve"
TEXTS = {
    name: value
    for file in ("defaults", "vars")
    for name, value in yaml.safe_load((ROLE / file / "main.yml").read_text(encoding="utf-8")).items()
}


def trust(value):
    if isinstance(value, dict):
        return {name: trust(item) for name, item in value.items()}
    return trust_as_template(value) if isinstance(value, str) else value


def arguments(**given):
    """vllm_serve_arguments of a head; a variable without a value follows from its default."""
    values = {name: trust(value) for name, value in TEXTS.items()} | {"inventory_hostname": "node-00"} | given
    return Templar(DataLoader(), values).template(trust_as_template("{{ vllm_serve_arguments }}"))


def test_the_command_is_the_tutorials():
    assert arguments(gh200_served_name="dsr1", gh200_address="10.0.0.1", gh200_pipeline_parallel=4) == [
        "--served-model-name=dsr1",
        "--host=10.0.0.1",
        "--port=8000",
        "--trust-remote-code",
        "--pipeline-parallel-size=4",
        "--tensor-parallel-size=1",
        "--distributed-executor-backend=ray",
        "--enable-prefix-caching",
        "--uvicorn-log-level=info",
        "--max-num-seqs=64",
        "--gpu-memory-utilization=0.9",
        "--max-model-len=8000",
    ]


@pytest.mark.parametrize(
    ("venv", "expected"),
    [
        ("/s/venvs/vllm-0.7.2-cuda-0123456789", ["--enable-reasoning", "--reasoning-parser=deepseek_r1"]),
        ("/s/venvs/vllm-0.8.5-cuda-0123456789", ["--enable-reasoning", "--reasoning-parser=deepseek_r1"]),
        ("/s/venvs/vllm-0.9.0-cuda-0123456789", ["--reasoning-parser=deepseek_r1"]),
        ("/s/venvs/vllm-0.20.2-cuda-0123456789", ["--reasoning-parser=deepseek_r1"]),
        ("/s/venvs/mine", ["--enable-reasoning", "--reasoning-parser=deepseek_r1"]),
    ],
)
def test_what_is_thought_comes_apart_by_the_flags_of_the_version(venv, expected):
    words = arguments(gh200_reasoning_parser="deepseek_r1", vllm_serve_venv=venv)
    assert [word for word in words if "reasoning" in word] == expected


def test_a_version_that_is_not_in_the_name_is_that_of_the_build():
    words = arguments(vllm_serve_reasoning_parser="qwen3", vllm_serve_venv="/s/mine", vllm_build_version="0.11.0")
    assert [word for word in words if "reasoning" in word] == ["--reasoning-parser=qwen3"]


def test_what_is_turned_off_is_said_where_an_engine_would_do_it_unasked():
    words = arguments(vllm_serve_enable_prefix_caching=False, vllm_serve_trust_remote_code=False)
    assert "--no-enable-prefix-caching" in words
    assert "--enable-prefix-caching" not in words and "--trust-remote-code" not in words


def test_further_flags_come_last():
    assert arguments(vllm_serve_flags={"enforce-eager": True, "seed": 7})[-2:] == ["--enforce-eager", "--seed=7"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"vllm_serve_flags": {"tensor-parallel-size": 2}}, "set vllm_serve_tensor_parallel"),
        ({"vllm_serve_flags": {"max_num_seqs": 2}}, "set vllm_serve_max_num_seqs"),
        ({"vllm_serve_flags": {"trust-remote-code": False}}, "set vllm_serve_trust_remote_code"),
        ({"vllm_serve_flags": {"distributed-executor-backend": "mp"}}, "leave it out"),
        ({"vllm_serve_options": ["--api-key=planted"]}, "--api-key would show a secret"),
    ],
)
def test_what_has_its_own_place_is_refused_here(given, sentence):
    with pytest.raises(AnsibleError) as refusal:
        arguments(**given)
    assert sentence in str(refusal.value) and "planted" not in str(refusal.value)


def test_every_variable_that_a_refusal_names_is_one_of_the_role():
    values = {name: trust(value) for name, value in TEXTS.items()} | {"inventory_hostname": "node-00"}
    named = Templar(DataLoader(), values).template(trust_as_template("{{ __vllm_serve_reserved }}"))
    assert {name for name in named.values() if name} <= set(TEXTS) and len(named) > 12
