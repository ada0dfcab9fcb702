# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/absent.yml takes back what every role made, each before what it stands on."""

from __future__ import annotations

import pytest
import yaml

from tests.unit.playbooks.stand_in import REPOSITORY

PLAYS = yaml.safe_load((REPOSITORY / "playbooks/absent.yml").read_text(encoding="utf-8"))
TAKEN = [
    task["ansible.builtin.import_role"]
    for play in PLAYS
    for task in play.get("tasks", [])
    if "ansible.builtin.import_role" in task
]
ORDER = [role["name"].rpartition(".")[2] for role in TAKEN]


def test_every_role_that_can_be_taken_back_is_and_once():
    can = [path.parents[1].name for path in REPOSITORY.glob("roles/*/tasks/absent.yml")]
    assert sorted(ORDER) == sorted(can)
    assert {role["tasks_from"] for role in TAKEN} == {"absent"}


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("vllm_serve", "ray_cluster"),
        ("ray_cluster", "venv"),
        ("collective_check", "venv"),
        ("venv", "python311"),
        ("hf_models", "python311"),
        # What lies on the share, or runs from it; then its cache, for which it must be idle; then where it is.
        ("ray_cluster", "nfs_cache"),
        ("venv", "nfs_cache"),
        ("vllm_build", "nfs_cache"),
        ("hf_models", "nfs_cache"),
        ("nfs_cache", "shared_mount"),
    ],
)
def test_each_goes_before_what_it_stands_on(first, then):
    assert ORDER.index(first) < ORDER.index(then)
