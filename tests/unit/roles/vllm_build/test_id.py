# SPDX-License-Identifier: GPL-3.0-or-later
"""The name of an environment holds all that decides what is in it, and nothing else; so do the names of the wheels."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLES = Path(__file__).resolve().parents[4] / "roles"
FIXES = ROLES / "vllm_build/files/fixes"
# How fast, where, by whom and for whom it is built, what is kept, and where the same commits come from.
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
            "keep",
            "locks",
        )
    ),
    *(f"vllm_build_{name}" for name in ("builder", "user", "venv", "wheelhouse", "workdir", "cache")),
    *(f"vllm_build_{name}_repository" for name in ("triton", "cutlass", "flash_attention")),
}
# In every lane; and what decides in one, or not in one.
COMMON = {
    f"vllm_build_{name}"
    for name in (
        "lane",
        "version",
        "device",
        "torch_index",
        "requirements",
        "excluded",
        "last",
        "extra_wheels",
    )
} | {"venv_python"}
OF_INDEX = {f"vllm_build_index{name}" for name in ("", "_package", "_sha256", "_torch", "_torch_cuda", "_constraints")}
OF_OTHERS = {f"vllm_build_{name}" for name in ("torch", "torch_cuda", "constraints")}
LANES = {"source": {}, "wheels": {"vllm_build_lane": "wheels"}, "index": {"vllm_build_lane": "index"}}


def loaded(*files):
    """Variables of YAML files whose templates may be used."""
    return {
        name: value
        for file in files
        for name, value in DataLoader().load_from_file(str(file), trusted_as_template=True).items()
    }


DEFAULTS = loaded(*sorted((ROLES / "vllm_build/defaults/main").glob("*.yml")))
VARS = loaded(*sorted((ROLES / "vllm_build/vars/main").glob("*.yml"))) | {
    "ansible_facts": {"architecture": "aarch64"},
    "inventory_hostname": "one",
}
EVERYTHING = DEFAULTS.keys() - INDIFFERENT - {"vllm_build_id"} | {"venv_python"}
OF_SOURCE = EVERYTHING - COMMON - OF_INDEX - OF_OTHERS - {"vllm_build_wheels", "vllm_build_fixes"}
DECIDING = {
    "source": COMMON | OF_OTHERS | OF_SOURCE | {"vllm_build_fixes"},
    "wheels": COMMON | OF_OTHERS | {"vllm_build_wheels", "vllm_build_fixes"},
    "index": COMMON | OF_INDEX,
}
IDLE = {lane: EVERYTHING - names - {"vllm_build_fixes"} for lane, names in DECIDING.items()}


def named(name, **changes):
    """The value of a variable under these changes."""
    return Templar(DataLoader(), VARS | DEFAULTS | changes).template(trust_as_template(f"{{{{ {name} }}}}"))


def another(name):
    """A value of the same type as the default."""
    if name == "vllm_build_lane":
        return "wheels"
    if name == "vllm_build_wheels":
        return [{"url": "https://a.example/vllm.whl", "sha256": "0" * 64}]
    value = DEFAULTS.get(name, "")
    return (
        [*value, "grouped_topk" if name == "vllm_build_fixes" else "other"]
        if isinstance(value, list)
        else {**value, "OTHER": "1"}
        if isinstance(value, dict)
        else "other"
    )


def test_every_variable_decides_or_does_not():
    assert DEFAULTS.keys() >= INDIFFERENT
    assert set().union(*DECIDING.values()) == EVERYTHING


@pytest.mark.parametrize(("lane", "name"), [(lane, name) for lane in LANES for name in sorted(DECIDING[lane])])
def test_what_decides_is_in_the_name(lane, name):
    changed = LANES[lane] | {name: "source" if (lane, name) == ("wheels", "vllm_build_lane") else another(name)}
    assert named("vllm_build_id", **changed) != named("vllm_build_id", **LANES[lane])


@pytest.mark.parametrize(("lane", "name"), [(lane, name) for lane in LANES for name in sorted(IDLE[lane])])
def test_what_is_of_another_lane_is_not(lane, name):
    changed = LANES[lane] | {name: another(name)}
    assert named("vllm_build_id", **changed) == named("vllm_build_id", **LANES[lane])


def test_another_address_of_the_same_wheels_is_the_same_environment():
    wheels = another("vllm_build_wheels")
    mirrored = [wheel | {"url": "https://b.example/vllm.whl"} for wheel in wheels]
    one, other = (
        named("vllm_build_id", vllm_build_lane="wheels", vllm_build_wheels=each) for each in (wheels, mirrored)
    )
    assert one == other


def test_the_text_of_a_fix_is_in_the_names():
    written = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in FIXES.glob("*.py")}
    assert named("__vllm_build_fix_texts") == written
    for place in ("vllm_build_id", "__vllm_build_wheel_id"):
        assert named(place, __vllm_build_fix_texts={"grouped_topk": "other"}) != named(place)


def test_a_name_that_is_given_wins():
    assert named("vllm_build_id", vllm_build_id="vllm-0.7.2-cuda-0123456789") == "vllm-0.7.2-cuda-0123456789"


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
