# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts of the build are bash, and call programs that the job places; no program stands in them as text."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

ROLE = Path(__file__).resolve().parents[4] / "roles/vllm_build"
FACTS = {"ansible_facts": {"architecture": "aarch64"}, "inventory_hostname": "one"}


WHEELS = [
    {"url": "https://a.example/vllm-0.7.2%2Bcu124-cp311-cp311-linux_aarch64.whl", "sha256": "1" * 64},
    {"url": "https://a.example/triton-3.1.0-cp311-cp311-linux_aarch64.whl?raw=1", "sha256": "2" * 64},
]


def templar(device="cuda", **more):
    """Of the role's variables."""
    loader = DataLoader()
    loader.set_basedir(str(ROLE / "templates"))
    files = [path for part in ("defaults", "vars") for path in sorted((ROLE / part / "main").glob("*.yml"))]
    variables = {
        name: value
        for file in files
        for name, value in loader.load_from_file(str(file), trusted_as_template=True).items()
    }
    paths = {"ansible_search_path": [str(ROLE)], "role_path": str(ROLE)}
    return Templar(loader, variables | FACTS | paths | {"vllm_build_device": device} | more)


def script(name, **variables):
    """The text of a job."""
    return templar(**variables).template(
        trust_as_template(f"{{{{ lookup('ansible.builtin.template', '{name}.sh.j2') }}}}")
    )


@pytest.mark.parametrize("device", ["cuda", "cpu"])
@pytest.mark.parametrize("name", ["check", "install", "triton-wheel", "vllm-wheel"])
def test_a_script_calls_programs_that_are_placed(name, device):
    engine = templar(device)
    script = engine.template(trust_as_template(f"{{{{ lookup('ansible.builtin.template', '{name}.sh.j2') }}}}"))
    assert subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False).stderr == ""
    placed = engine.template(trust_as_template("{{ __vllm_build_files }}"))
    called = set(re.findall(r"/usr/local/lib/gh200/build/[\w./]+", script))
    assert called and called <= placed.keys()
    assert not re.search(r"python\S* - ", script)


def test_every_program_that_is_placed_is_whole():
    for path, text in templar().template(trust_as_template("{{ __vllm_build_files }}")).items():
        compile(text, path, "exec")
        assert '__name__ == "__main__"' in text


def test_requirements_that_are_settled_are_left_out(load):
    module = load("vllm_build/requirements.py")
    lines = [
        "torch==2.5.1",
        "Torch_Audio>=2; platform_machine == 'x86_64'",
        "ray>=2.9",
        "tensorizer; extra == 'tensorizer'",
    ]
    assert module.wanted(lines, ["torch", "torch-audio"]) == ["ray>=2.9"]


def test_the_manifest_says_how_a_wheel_was_made(load, monkeypatch, tmp_path):
    module = load("vllm_build/manifest.py")
    monkeypatch.setattr(module, "version", lambda name: "2.5.1")
    monkeypatch.setenv("COMPILER", "gcc 12\nsecond line\n")
    monkeypatch.setenv("STARTED", "0")
    module.main(
        str(tmp_path / "manifest.json"),
        json.dumps({"fixes": ["one"], "tools": ["cmake==3"], "environment": {}}),
        "source one",
    )
    written = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert written["sources"] == ["source one"] and written["compiler"] == ["gcc 12", "second line"]
    assert (written["fixes"], written["tools"], written["torch"]) == (["one"], ["cmake==3"], "2.5.1") and written[
        "seconds"
    ] > 0
