# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab prepares for its nodes, and the values by which they differ from a GH200."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import zipfile
from io import StringIO
from pathlib import Path

import pytest
import yaml

from lab import engine, torch_source
from lab.config import Paths
from lab.engine import lane, wheel

REPOSITORY = Path(engine.__file__).parents[2]
DEFAULTS = REPOSITORY / "roles" / "vllm_build" / "defaults" / "main"


@pytest.fixture(name="trained", scope="module", autouse=True)
def no_training():
    """Stands for the program that trains: it writes one file. The calls are counted."""
    calls = []

    def program(paths, progress, module, folder):
        calls.append(module)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{ }", encoding="utf-8")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine.environment, "program", program)
        yield calls


@pytest.fixture(name="prepared", scope="module")
def preparation(tmp_path_factory, trained):
    """Folders, what was said, and what came back of the first preparation."""
    paths, said = Paths(tmp_path_factory.mktemp("lab")), []
    return paths, said, engine.prepare(paths, said.append)


def versions(requirements):
    """Name to version."""
    return dict(line.split("==") for line in requirements)


def test_the_second_preparation_makes_nothing(prepared):
    paths, said, first = prepared
    assert len(said) == 2
    stamps = {path: path.stat().st_mtime_ns for path in paths.hub.rglob("*")}
    assert engine.prepare(paths, said.append) == first
    assert len(said) == 2 and {path: path.stat().st_mtime_ns for path in paths.hub.rglob("*")} == stamps


def test_a_damaged_model_and_wheel_are_made_again(prepared):
    paths, dummy, first = prepared
    (paths.hub / "repos" / engine.model.REPOSITORY / "config.json").write_text("{}", encoding="utf-8")
    (paths.hub / "files" / first["platform_wheel"]).write_bytes(b"")
    assert engine.prepare(paths, lambda line: None) == first
    assert engine.model.revision(paths.hub / "repos" / engine.model.REPOSITORY) == first["model_revision"]
    assert (paths.hub / "files" / first["platform_wheel"]).read_bytes() == wheel.build(engine.PLATFORM)[1]


def test_the_model_is_trained_again_when_its_versions_change(prepared, trained, monkeypatch):
    paths, dummy, first = prepared
    before = len(trained)
    assert engine.prepare(paths, lambda line: None) == first and len(trained) == before
    monkeypatch.setattr(engine.environment, "wanted", lambda: "torch==0")
    assert engine.prepare(paths, lambda line: None)["model_revision"] == first["model_revision"]
    assert trained[before:] == ["lab.model.train"]


def test_pip_installs_the_wheel(prepared, tmp_path):
    paths, dummy, first = prepared
    file = paths.hub / "files" / first["platform_wheel"]
    target = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, file],
        check=True,
        capture_output=True,
    )
    found = subprocess.run(
        [
            sys.executable,
            "-S",
            "-c",
            "from importlib.metadata import entry_points as e; "
            "print(*[p.load()() for p in e(group='vllm.platform_plugins')])",
        ],
        env={"PYTHONPATH": str(target)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    module, dummy, name = found.rpartition(".")
    assert f"class {name}(" in (target / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8")


def test_the_record_of_the_wheel_is_complete(prepared):
    paths, dummy, first = prepared
    with zipfile.ZipFile(paths.hub / "files" / first["platform_wheel"]) as archive:
        names = archive.namelist()
        record = next(name for name in names if name.endswith("/RECORD"))
        rows = list(csv.reader(StringIO(archive.read(record).decode())))
    assert [row[0] for row in rows] == names


def test_pins_differ_from_the_real_ones_only_where_torch_asks_for_it():
    real = yaml.safe_load((DEFAULTS / "pins.yml").read_text(encoding="utf-8"))
    ours, theirs = versions(lane.LANE["vllm_build_constraints"]), versions(real["vllm_build_constraints"])
    assert {name for name in ours if ours[name] != theirs.get(name)} == {"setuptools", "sympy"}
    assert theirs.keys() - ours.keys() == {"hf-transfer", "nvidia-ml-py"}
    tools, their_tools = versions(lane.LANE["vllm_build_tools"]), versions(real["vllm_build_tools"])
    assert {name for name in tools if tools[name] != their_tools[name]} == {"setuptools"}
    assert their_tools.keys() - tools.keys() == {"build", "pybind11", "pyproject-hooks"}


def test_pins_keep_the_order_of_the_role_which_is_part_of_what_the_environment_is_called():
    real = yaml.safe_load((DEFAULTS / "pins.yml").read_text(encoding="utf-8"))["vllm_build_constraints"]
    ours = lane.LANE["vllm_build_constraints"]
    assert [line.partition("==")[0] for line in ours] == [name for name in versions(real) if name in versions(ours)]


def test_the_roles_know_every_value():
    files = [*REPOSITORY.glob("roles/*/defaults/main.yml"), *REPOSITORY.glob("roles/*/defaults/main/*.yml")]
    known = {name for file in files for name in yaml.safe_load(file.read_text(encoding="utf-8"))}
    prepared = {"platform_wheel": "a.whl", "platform_sha256": "0"}
    values = lane.lane(prepared, "http://192.0.2.1:8601", "")
    assert values.keys() <= known
    assert values["vllm_build_extra_wheels"] == [{"url": "http://192.0.2.1:8601/files/a.whl", "sha256": "0"}]


@pytest.mark.parametrize(
    ("line", "tolerated"),
    [
        (
            'vllm 0.7.2+cpu has requirement torch==2.5.1+cpu; platform_machine != "ppc64le", '
            "but you have torch 2.13.0+cpu.",
            True,
        ),
        ("vllm 0.7.2+cpu requires xgrammar, which is not installed.", True),
        ("vllm 0.7.2+gh200.cpu requires xgrammar, which is not installed.", True),
        (
            'vllm 0.7.2+gh200.cpu has requirement torch==2.5.1+cpu; platform_machine != "ppc64le", '
            "but you have torch 2.13.0+cpu.",
            True,
        ),
        ("vllm 0.7.2+cpu requires aiohttp, which is not installed.", False),
        ("vllm 0.7.2+cpu has requirement numpy<2.0.0, but you have numpy 2.1.0.", False),
    ],
)
def test_only_known_complaints_of_pip_are_tolerated(line, tolerated):
    assert any(re.search(pattern, line) for pattern in lane.LANE["vllm_build_tolerated"]) is tolerated


@pytest.mark.parametrize(("status", "index"), [(0, ""), (1, torch_source.INDEX)])
def test_torch_comes_from_its_index_only_where_pip_has_none(monkeypatch, status, index):
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: subprocess.CompletedProcess(args, status))
    assert torch_source.torch_index() == index
