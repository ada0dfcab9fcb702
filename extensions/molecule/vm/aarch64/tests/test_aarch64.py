# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles on another architecture, and every pin of the engine there."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

HOME = "/home/ubuntu/molecule"
VENV = f"{HOME}/venvs/one"
LOCKS = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "roles/vllm_build/files/locks"
AARCH64 = 183
# A GH200's kernel has pages of 64 KiB: what is aligned to less cannot be loaded there.
PAGE = 64 * 1024


def pins():
    """name==version of all locks, as pip freeze writes them."""
    lines = [line for name in ("engine", "tools") for line in (LOCKS / f"{name}.txt").read_text().splitlines()]
    return {normal(line.split()[0]) for line in lines if re.match(r"\S+==", line)}


def normal(pin):
    name, dummy, version = pin.partition("==")
    return f"{re.sub('[-_.]+', '-', name).lower()}=={version}"


@pytest.fixture(name="compiled", scope="module")
def what_is_compiled(host):
    """See files/compiled.py."""
    return json.loads(host.check_output(f"sudo -u ubuntu {VENV}/bin/python {HOME}/pins/compiled.py"))


def test_it_is_another_architecture_and_has_no_compiler(host):
    assert host.check_output("uname -m") == "aarch64"
    assert host.check_output("dpkg --print-architecture") == "arm64"
    for program in ("cc", "gcc", "g++", "clang", "make", "cargo"):
        assert not host.exists(program), program


def test_python_is_a_release_with_headers_of_this_architecture(host):
    found = host.check_output(
        "/usr/bin/python3.11 -c 'import platform, sys; print(sys.version_info.releaselevel, platform.machine())'"
    )
    assert found == "final aarch64"
    assert host.file("/usr/include/aarch64-linux-gnu/python3.11/pyconfig.h").exists


def test_the_environment_is_the_users_and_the_link_leads_to_it(host):
    assert host.check_output(f"{VENV}/bin/python -c 'import sys; print(sys.prefix)'") == VENV
    assert host.file(VENV).user == "ubuntu"
    assert host.file(f"{HOME}/venvs/current").linked_to == VENV


def test_the_model_came_whole_by_the_downloader_that_is_locked(host):
    model = f"{HOME}/models/tiny"
    files = json.loads(host.file(f"{model}/.gh200-manifest.json").content_string)["files"]
    assert len([name for name in files if name.endswith(".safetensors")]) == 7
    sums = dict(reversed(line.split()) for line in host.check_output(f"cd {model} && sha256sum *").splitlines())
    assert sums == {name: file["sha256"] or sums[name] for name, file in files.items()}
    script = "import hf_xet, huggingface_hub, pydantic_core; print(huggingface_hub.__version__)"
    # It writes a log where it is loaded, which would be taken for the role's.
    said = host.check_output(f"HF_HOME=/tmp/hf $(ls -d {HOME}/tools/hf-*)/bin/python -I -c '{script}'")
    assert f"huggingface-hub=={said}" in (LOCKS.parents[2] / "hf_models/files/requirements.txt").read_text()


def test_every_pin_is_installed_and_nothing_else(host):
    installed = host.check_output(f"{VENV}/bin/pip freeze --all --disable-pip-version-check").splitlines()
    found = {normal(line) for line in installed if not line.startswith("pip==")}
    assert found == pins()


def test_all_that_is_compiled_is_for_this_machine_and_for_large_pages(compiled):
    print(f"\n{len(compiled['files'])} files")
    assert len(compiled["files"]) > 100
    assert [path for path, machine, least in compiled["files"] if machine != AARCH64] == []
    assert [path for path, machine, least in compiled["files"] if least % PAGE] == []


def test_every_compiled_module_can_be_loaded(compiled):
    print(f"\n{len(compiled['loaded'])} modules")
    assert {"ray._raylet", "numpy.core._multiarray_umath", "tokenizers"} <= set(compiled["loaded"])
    assert compiled["failed"] == {}


@pytest.mark.parametrize("program", ["cmake", "ninja", "py-spy"])
def test_the_programs_run(host, program):
    assert host.run(f"{VENV}/bin/{program} --version").rc == 0
