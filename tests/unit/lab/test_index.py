# SPDX-License-Identifier: GPL-3.0-or-later
"""The values by which the index lane differs, and the two wheels that it needs."""

from __future__ import annotations

import hashlib
import re
import zipfile

import pytest
import yaml

from lab.config import REPOSITORY, Paths
from lab.engine import index


@pytest.fixture(name="prepared", scope="module")
def preparation(tmp_path_factory):
    """(folders, what was said, the values)"""
    paths, said = Paths(tmp_path_factory.mktemp("lab")), []
    return paths, said, index.prepare(paths, "http://hub", said.append)


def test_the_wheels_lie_on_the_hub_under_the_checksums_that_are_told(prepared):
    paths, dummy, values = prepared
    for wheel in values["vllm_build_extra_wheels"]:
        content = (paths.hub / wheel["url"].removeprefix("http://hub/")).read_bytes()
        assert hashlib.sha256(content).hexdigest() == wheel["sha256"]


def test_the_second_preparation_makes_nothing(prepared):
    paths, said, values = prepared
    assert len(said) == 2
    assert index.prepare(paths, "http://hub", said.append) == values and len(said) == 2


def test_one_wheel_has_the_platform_and_the_other_only_the_name(prepared):
    paths, dummy, values = prepared
    platform, name = (paths.hub / "files" / wheel["url"].split("/")[-1] for wheel in values["vllm_build_extra_wheels"])
    with zipfile.ZipFile(platform) as archive:
        assert b"vllm.platform_plugins" in archive.read("gh200_lab_newer-0.1.0.dist-info/entry_points.txt")
    with zipfile.ZipFile(name) as archive:
        metadata = archive.read(f"vllm-{index.VERSION}+cpu.dist-info/METADATA").decode()
    assert f"\nName: vllm\nVersion: {index.VERSION}+cpu\n" in metadata


def test_every_value_is_a_variable_of_a_role(prepared):
    declared = {
        name
        for path in REPOSITORY.glob("roles/*/meta/argument_specs.yml")
        for spec in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values()
        for name in spec.get("options") or {}
    }
    assert prepared[2].keys() <= declared


def test_every_pin_is_exact_and_torch_and_ray_are_among_them(prepared):
    pins = prepared[2]["vllm_build_index_constraints"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+]+", pin) for pin in pins)
    assert "torch==2.13.0+cpu" in pins and any(pin.startswith("ray==") for pin in pins)
