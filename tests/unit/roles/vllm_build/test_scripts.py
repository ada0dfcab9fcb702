# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripts of the build are bash, and call programs that the job places; no program stands in them as text."""

from __future__ import annotations

import json
import re
import subprocess
import sys
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


LANES = [
    *(
        ("source", name, device)
        for name in ("check", "install", "triton-wheel", "vllm-wheel")
        for device in ("cuda", "cpu")
    ),
    *(("wheels", name, "cuda") for name in ("check", "install", "given-wheel")),
    *(("index", name, device) for name in ("check", "install") for device in ("cuda", "cpu")),
]


@pytest.mark.parametrize(("lane", "name", "device"), LANES)
def test_a_script_calls_programs_that_are_placed(lane, name, device):
    version = "0.20.2" if lane == "index" else "0.7.2"
    given = {"device": device, "vllm_build_lane": lane, "vllm_build_wheels": WHEELS, "vllm_build_version": version}
    text, engine = script(name, **given), templar(**given)
    assert subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False).stderr == ""
    placed = engine.template(trust_as_template("{{ __vllm_build_files | combine(__vllm_build_locks) }}"))
    called = set(re.findall(r"/usr/local/lib/gh200/build/[\w./]+", text))
    assert called and called <= placed.keys()
    assert not re.search(r"python\S* - ", text)


@pytest.mark.parametrize(("lane", "name", "device"), LANES)
def test_the_steps_of_a_script_are_counted(lane, name, device):
    text = script(name, device=device, vllm_build_lane=lane, vllm_build_wheels=WHEELS)
    steps = [(int(step), int(steps)) for step, steps in re.findall(r"^ *step (\d+) (\d+) \"", text, re.MULTILINE)]
    assert steps and steps == sorted(steps) and {steps for step, steps in steps} == {steps[-1][0]}


def test_a_release_of_the_index_is_held_to_its_checksums_and_set():
    text = script("install", vllm_build_lane="index", vllm_build_version="0.20.2")
    (line,) = [line for line in text.splitlines() if line.startswith("vllm==0.20.2")]
    assert line.count(" --hash=sha256:") == 2
    assert "\nray==2.49.2\n" in text and "\ntorch==2.11.0\n" in text and "fixes/" not in text


def test_wheels_of_0_7_2_are_mended_when_they_are_installed():
    text = script("install", vllm_build_lane="wheels", vllm_build_wheels=WHEELS)
    assert "/fixes/grouped_topk.py" in text and re.search(r"/wheelhouse/given-0\.7\.2-[0-9a-f]{10}/\*\.whl", text)
    assert "/fixes/" not in script("install")
    newer = {"vllm_build_lane": "wheels", "vllm_build_wheels": WHEELS, "vllm_build_version": "0.8.5"}
    assert "/fixes/" not in script("install", **newer)


# What a build does before and while it compiles, with marks in place of the compiler.
MEMORY = """
{{% with gib_per_job = {gib}, part = {part}, other = '{other}' %}}{{% include 'jobs.sh.j2' %}}{{% endwith %}}


echo "$jobs jobs"
"""


def build(tmp_path, part, other, gib=0.001):
    """A build that holds its memory until its input ends."""
    # As on a node, where the path of the programs has no blank.
    programs = tmp_path / "programs"
    if not programs.exists():
        programs.symlink_to(ROLE / "files")
    text = templar(vllm_build_workdir=str(tmp_path), __vllm_build_programs=str(programs)).template(
        trust_as_template(MEMORY.format(gib=gib, part=part, other=other))
    )
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    command = ["bash", "-euo", "pipefail", "-c", text + "read -r dummy || true"]
    return subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_two_builds_share_the_memory_where_it_is_enough(tmp_path):
    with build(tmp_path, 0.125, tmp_path / "other") as one, build(tmp_path, 0.875, tmp_path / "another") as two:
        for each in (one, two):
            assert re.fullmatch(r"[1-9]\d* jobs\n", each.stdout.readline())
            each.stdin.close()


def test_where_it_is_not_one_waits_for_the_other(tmp_path):
    with build(tmp_path, 0.875, tmp_path / "other") as one:
        assert one.stdout.readline().endswith(" jobs\n")
        with build(tmp_path, 0.125, tmp_path / "another", gib=10**6) as two:
            assert two.stdout.readline().startswith("Waiting for the end of the other build")
            one.stdin.close()
            assert two.stdout.readline() == "1 jobs\n"
            two.stdin.close()


def test_a_build_whose_companion_is_done_takes_all(tmp_path):
    (tmp_path / "SHA256SUMS").touch()
    with build(tmp_path, 0.125, tmp_path, gib=10**6) as alone:
        assert alone.stdout.readline() == "1 jobs\n"
        alone.stdin.close()


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
