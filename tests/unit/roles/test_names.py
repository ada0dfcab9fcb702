# SPDX-License-Identifier: GPL-3.0-or-later
"""What a task registers is seen by all that follow, so it must not have the name of a variable of its role."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).resolve().parents[3] / "roles"


def registered(tasks):
    """Names that these tasks, and those in their blocks, register."""
    for task in tasks or []:
        if "register" in task:
            yield task["register"]
        for part in ("block", "rescue", "always"):
            yield from registered(task.get(part))


def names(role, *folders):
    """Variables of the files in these folders of a role."""
    paths = [path for folder in folders for path in sorted((role / folder).rglob("*.yml"))]
    return {name for path in paths for name in yaml.safe_load(path.read_text(encoding="utf-8")) or ()}


@pytest.mark.parametrize("role", sorted(ROLES.iterdir()), ids=lambda role: role.name)
def test_nothing_is_registered_under_the_name_of_a_variable(role):
    paths = sorted((role / "tasks").rglob("*.yml"))
    found = {name for path in paths for name in registered(yaml.safe_load(path.read_text(encoding="utf-8")))}
    assert not found & names(role, "defaults", "vars")
