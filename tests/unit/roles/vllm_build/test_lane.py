# SPDX-License-Identifier: GPL-3.0-or-later
"""A lane that cannot be is told in the first minute, in one sentence with what to do."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

VLLM = {"url": "https://a.example/v0/vllm-0.7.2%2Bcu124-cp311-cp311-linux_aarch64.whl", "sha256": "1" * 64}
TRITON = {"url": "https://a.example/v0/triton-3.1.0-cp311-cp311-linux_aarch64.whl?x=1", "sha256": "2" * 64}


@pytest.fixture(name="lane")
def program(load):
    return load("vllm_build/lane.py")


def asked(**more):
    """What the role asks, for the wheels of the tutorial."""
    return {
        "lane": "wheels",
        "device": "cuda",
        "version": "0.7.2",
        "wheels": [VLLM, TRITON],
        "python": "3.11",
        "cuda": "12.4",
        "constraints": [],
        "done": "/nonexistent",
    } | more


def of_index(**more):
    return asked(lane="index", version="0.20.2", wheels=[], cuda="13.0", constraints=["ray==2.49.2"]) | more


def refusal(lane, check, question, machine="aarch64"):
    with pytest.raises(lane.Refused) as refused:
        check(question, machine)
    sentence = str(refused.value)
    assert sentence.endswith(".") and "\n" not in sentence
    assert "vllm_build_" in sentence or "name the wheel" in sentence
    return sentence


def test_the_wheels_of_the_tutorial_with_their_checksums(lane):
    assert lane.wheels(asked(), "aarch64") is None


@pytest.mark.parametrize(
    ("wheels", "sentence"),
    [
        ([], "vllm_build_wheels is empty"),
        ([{"url": VLLM["url"]}, TRITON], "has no checksum, and nothing is installed unseen: get it once"),
        ([VLLM | {"sha256": None}], "has no checksum"),
        ([VLLM | {"sha256": "md5"}], "is not 64 hexadecimal digits"),
        ([VLLM | {"url": "https://a.example/vllm.tar.gz"}], "is no wheel"),
        ([TRITON], "None of the 1 files in vllm_build_wheels is a wheel of vllm"),
        (
            [VLLM | {"url": VLLM["url"].replace("aarch64", "x86_64")}],
            "is for linux_x86_64, and this node is aarch64",
        ),
        ([VLLM | {"url": VLLM["url"].replace("cp311", "cp312")}], "is for cp312, and venv_python is Python 3.11"),
        (
            [VLLM | {"url": VLLM["url"].replace("0.7.2", "0.8.5")}],
            "is vLLM 0.8.5+cu124, and vllm_build_version is 0.7.2",
        ),
    ],
)
def test_wheels_that_cannot_be(lane, wheels, sentence):
    assert sentence in refusal(lane, lane.wheels, asked(wheels=wheels))


@pytest.mark.parametrize(
    "name",
    [
        "vllm-0.7.2-cp38-abi3-manylinux1_x86_64.whl",
        "vllm-0.7.2-1-py3-none-any.whl",
        "vllm-0.7.2+gh200.cu128-cp311-cp311-linux_x86_64.whl",
    ],
)
def test_wheels_that_fit(lane, name):
    assert lane.wheels(asked(wheels=[VLLM | {"url": f"https://a.example/{name}"}]), "x86_64") is None


@pytest.mark.parametrize(
    ("more", "driver", "sentence"),
    [
        ({"version": "0.7.2"}, "", "has no wheel of vLLM 0.7.2 for aarch64, the first is 0.10.2"),
        ({"constraints": None}, "", "Nobody knows which versions vLLM 0.20.2 works with"),
        ({"cuda": ""}, "", "Nobody knows the CUDA of vLLM 0.20.2"),
        ({}, "12.8", "knows CUDA 12.8, and vLLM 0.20.2 comes for CUDA 13.0"),
    ],
)
def test_releases_that_cannot_be(lane, monkeypatch, more, driver, sentence):
    monkeypatch.setattr(lane, "driver_cuda", lambda: driver)
    assert sentence in refusal(lane, lane.index, of_index(**more))


@pytest.mark.parametrize(
    ("more", "driver", "machine"),
    [
        ({}, "13.0", "aarch64"),
        ({}, "", "aarch64"),
        ({"cuda": "12.9"}, "12.8", "aarch64"),
        ({"version": "0.10.2", "cuda": "12.8", "constraints": []}, "12.8", "aarch64"),
        ({"version": "0.7.2", "cuda": "12.4"}, "12.8", "x86_64"),
        ({"device": "cpu", "cuda": ""}, "", "x86_64"),
    ],
)
def test_releases_that_can_be(lane, monkeypatch, more, driver, machine):
    monkeypatch.setattr(lane, "driver_cuda", lambda: driver)
    assert lane.index(of_index(**more), machine) is None


def test_the_driver_tells_its_cuda(lane, monkeypatch, tmp_path):
    smi = tmp_path / "nvidia-smi"
    smi.write_text(
        "#!/bin/sh\necho '| NVIDIA-SMI 570.148  Driver Version: 570.148  CUDA Version: 12.8  |'\n", encoding="utf-8"
    )
    smi.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lane.driver_cuda() == "12.8"
    smi.unlink()
    assert lane.driver_cuda() == ""


def test_the_program_is_one_sentence_and_an_environment_that_is_there_is_not_judged(load, tmp_path):
    path = load("vllm_build/lane.py").__file__

    def run(done):
        question = json.dumps(asked(wheels=[{"url": VLLM["url"]}], done=str(done)))
        return subprocess.run([sys.executable, path, question], capture_output=True, text=True, check=False)

    refused = run(tmp_path / "missing")
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1 and "Traceback" not in refused.stderr
    (tmp_path / "there").touch()
    assert run(tmp_path / "there").returncode == 0
