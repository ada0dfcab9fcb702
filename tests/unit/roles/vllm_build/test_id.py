# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of an environment holds all that decides what is in it, and nothing else; so do the names of the wheels."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).resolve().parents[4] / "roles"
# How fast, where, by whom and for whom it is built, and where the same commits come from.
INDIFFERENT = {
    *(
        f"vllm_build_{name}"
        for name in (
            "nvcc_threads",
            "gib_per_job",
            "build_packages",
            "run_packages",
            "tolerated",
            "timeout",
            "memory_max",
        )
    ),
    *(f"vllm_build_{name}" for name in ("builder", "user", "venv", "wheelhouse", "workdir", "cache")),
    *(f"vllm_build_{name}_repository" for name in ("triton", "cutlass", "flash_attention")),
}


def loaded(*files):
    """Variables of YAML files whose templates may be used."""
    return {
        name: value
        for file in files
        for name, value in DataLoader().load_from_file(str(file), trusted_as_template=True).items()
    }


DEFAULTS = loaded(*sorted((ROLES / "vllm_build/defaults/main").glob("*.yml")))
VARS = loaded(ROLES / "vllm_build/vars/main.yml") | {
    "ansible_facts": {"architecture": "aarch64"},
    "inventory_hostname": "one",
}
DECIDING = [*sorted(DEFAULTS.keys() - INDIFFERENT - {"vllm_build_id"}), "venv_python"]


def named(name, **changes):
    """The value of a variable under these changes."""
    return Templar(DataLoader(), VARS | DEFAULTS | changes).template(trust_as_template(f"{{{{ {name} }}}}"))


def another(name):
    """A value of the same type as the default."""
    value = DEFAULTS.get(name, "")
    return (
        [*value, "other"]
        if isinstance(value, list)
        else {**value, "OTHER": "1"}
        if isinstance(value, dict)
        else "other"
    )


def test_every_variable_decides_or_does_not():
    assert DEFAULTS.keys() >= INDIFFERENT


@pytest.mark.parametrize("name", DECIDING)
def test_what_decides_is_in_the_name(name):
    assert named("vllm_build_id", **{name: another(name)}) != named("vllm_build_id")


@pytest.mark.parametrize("name", sorted(INDIFFERENT))
def test_what_does_not_decide_is_not(name):
    changes = {name: another(name)}
    for place in ("vllm_build_id", "__vllm_build_wheel_id", "__vllm_build_triton_id"):
        assert named(place, **changes) == named(place)


@pytest.mark.parametrize(
    "name", ["sha256", "source", "fixes", "torch", "torch_index", "tools", "environment", "cutlass_commit", "cuda_home"]
)
def test_what_decides_how_vllm_is_compiled_is_in_the_name_of_its_wheel(name):
    changes = {f"vllm_build_{name}": another(f"vllm_build_{name}")}
    assert named("__vllm_build_wheel_id", **changes) != named("__vllm_build_wheel_id")


@pytest.mark.parametrize(
    "name", ["triton_version", "triton_commit", "triton_environment", "triton_llvm_url", "triton_llvm_sha256", "tools"]
)
def test_what_decides_how_triton_is_compiled_is_in_the_name_of_its_wheel(name):
    changes = {f"vllm_build_{name}": another(f"vllm_build_{name}")}
    assert named("__vllm_build_triton_id", **changes) != named("__vllm_build_triton_id")


def test_another_interpreter_makes_other_wheels():
    for place in ("__vllm_build_wheel_id", "__vllm_build_triton_id"):
        assert named(place, venv_python="/usr/bin/python3.12") != named(place)


def test_the_interpreter_is_the_one_of_the_venv_role():
    python = loaded(ROLES / "venv/defaults/main.yml")["venv_python"]
    assert named("vllm_build_id", venv_python=python) == named("vllm_build_id")
