# SPDX-License-Identifier: GPL-3.0-or-later
"""What the argument specs of a role say is what its defaults are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[3]
ROLES = sorted(path.name for path in (REPOSITORY / "roles").iterdir() if (path / "meta").is_dir())


def defaults(role):
    """Name to value, of all files."""
    folder = REPOSITORY / "roles" / role / "defaults"
    files = [folder / "main.yml"] if (folder / "main.yml").exists() else sorted((folder / "main").glob("*.yml"))
    return {name: value for file in files for name, value in yaml.safe_load(file.read_text(encoding="utf-8")).items()}


def options(role):
    """Name to specification, of all entry points."""
    specs = yaml.safe_load((REPOSITORY / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))[
        "argument_specs"
    ]
    return {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}


def is_literal(value):
    """Whether there is no template in it."""
    return "{{" not in str(value)


def test_there_are_roles():
    assert {"gh200", "vllm_serve"} <= set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_is_declared_and_carries_the_name_of_its_role(role):
    assert set(defaults(role)) == set(options(role))
    assert all(name.startswith(f"{role}_") for name in defaults(role))


@pytest.mark.parametrize("role", ROLES)
def test_every_default_is_the_one_that_is_told(role):
    told = {name: option["default"] for name, option in options(role).items() if "default" in option}
    assert {name: defaults(role)[name] for name in told} == told


@pytest.mark.parametrize("role", ROLES)
def test_every_default_that_is_told_is_literal(role):
    told = {name for name, option in options(role).items() if "default" in option}
    assert told <= {name for name, value in defaults(role).items() if is_literal(value)}


@pytest.mark.parametrize("role", ROLES)
def test_every_variable_has_a_type_and_a_sentence(role):
    types = {
        "str": str,
        "path": str,
        "int": int,
        "float": (int, float),
        "bool": bool,
        "list": list,
        "dict": dict,
        "raw": object,
    }
    for name, option in options(role).items():
        assert str(option["description"]).rstrip("']").endswith("."), name
        if is_literal(defaults(role)[name]) and defaults(role)[name] is not None:
            assert isinstance(defaults(role)[name], types[option["type"]]), name


def test_roles_and_plugins_know_nothing_of_the_lab():
    found = subprocess.run(
        ["grep", "-rniwI", "lab", "roles", "plugins"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout) == (1, "")
