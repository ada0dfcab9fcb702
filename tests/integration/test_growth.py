# SPDX-License-Identifier: GPL-3.0-or-later
"""lambda_growth against the simulated account: where wheels are known to be, and what is noted for the next run."""

from __future__ import annotations

import json

import pytest

WHEELS = ["vllm-1", "triton-1"]


@pytest.fixture(name="growth")
def one_task(act, start, tmp_path):
    """growth(**options): its result, on an account with a filesystem of one name in two regions."""
    cloud = start(filesystems={"shared": "us-east-3", "other": "us-west-1"}, prices={"gpu_1x_gh200": 300})
    told = {"size": 4, "filesystem": "shared", "region": ["us-east-3"], "wheels": WHEELS, "state_dir": str(tmp_path)}
    return lambda **options: act("lambda_growth", **(cloud.options | told | options))


def test_what_was_noted_for_a_filesystem_is_known_there_alone(growth, tmp_path):
    assert growth()["wheels_on"] == ""
    assert growth(state="noted", wheels=WHEELS[:1])["changed"] is False
    assert growth()["wheels_on"] == ""
    growth(state="noted")
    assert growth()["wheels_on"] == "filesystem" and growth()["growth"] == "at_once"
    assert growth(filesystem="other", region=["us-west-1"])["wheels_on"] == ""
    assert growth(region=["us-west-1"])["wheels_on"] == "" and growth(filesystem="none")["wheels_on"] == ""
    assert len(json.loads((tmp_path / "growth.json").read_text(encoding="utf-8"))["wheels"]) == 1


def test_the_control_nodes_copy_must_be_whole(growth, tmp_path):
    cache = tmp_path / "wheelhouse"
    (cache / "vllm-1").mkdir(parents=True)
    (cache / "triton-1.part").mkdir()
    assert growth(wheel_cache=str(cache))["builds"]
    (cache / "triton-1").mkdir()
    assert growth(wheel_cache=str(cache))["wheels_on"] == "control node"


def test_a_lane_that_compiles_nothing_needs_no_wheels(growth):
    done = growth(wheels=[], lane="index")
    assert (done["growth"], done["builds"]) == ("at_once", False) and "This lane builds nothing." in done["lines"][0]


def test_times_are_those_of_the_lane_and_the_instance_type(growth):
    moments = {"began": 1000.0, "built": 1600.0, "grew": 1601, "fetched": 1700, "served": 1721}
    growth(state="noted", builds=True, moments=moments, filesystem="none")
    assert growth()["ways"]["build"]["minutes"] == 10 and "those of an earlier run" in growth()["lines"][2]
    assert growth(lane="other")["ways"]["build"]["minutes"] == 45
    growth(state="noted", builds=True, running=1, moments=moments | {"built": 9000.0}, filesystem="none")
    assert growth()["ways"]["build"]["minutes"] == 10


def test_in_check_mode_nothing_is_noted(growth, tmp_path):
    growth(state="noted", check=True)
    assert not (tmp_path / "growth.json").exists()


def test_the_price_is_that_of_the_catalogue_now(growth):
    assert growth()["price_per_hour"] == 3.0 and "At $3.00/h for each node" in growth()["lines"][2]
    unknown = growth(instance_type="gpu_1x_gh20")
    assert unknown["lines"] == [] and not unknown.get("failed")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"moments": {"began": "soon"}, "state": "noted"}, "moments are seconds since 1970, and one of"),
        ({"size": "1e2"}, "size is 1e2, and must be a whole number"),
        ({"api_key": "wrong"}, "global/invalid-api-key"),
    ],
)
def test_a_mistake_is_one_sentence(growth, options, words):
    done = growth(**options)
    assert done["failed"] and words in done["msg"]


def test_notes_that_cannot_be_read_are_told(growth, tmp_path):
    (tmp_path / "growth.json").mkdir()
    done = growth()
    assert done["failed"] and "growth.json" in done["msg"]
