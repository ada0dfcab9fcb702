# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and tags that are written to lead out of the state folder: never a byte elsewhere."""

from __future__ import annotations

import pytest

from .account import launch

PAST = [{"key": "gh200:launched", "value": "1700000000"}, {"key": "gh200:expires", "value": "1700003600"}]


@pytest.fixture(name="state")
def state_with_a_neighbour(tmp_path):
    """A state folder, and beside it what must stay as it is."""
    (tmp_path / "home").mkdir()
    (tmp_path / "x").mkdir()
    (tmp_path / "x/ledger.jsonl").write_text("mine\n", encoding="utf-8")
    (tmp_path / "state/deep").mkdir(parents=True)
    return tmp_path / "state/deep"


def files(tmp_path):
    """All but the pace of the calls."""
    return {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and ".cache" not in path.parts}


@pytest.mark.parametrize("name", ["../../x", "..", "/x", "a/../../../x"])
@pytest.mark.parametrize(
    ("action", "more"),
    [
        ("lambda_receipt", {}),
        ("lambda_fleet", {"size": 1, "region": "us-east-3", "ssh_key_name": "laptop"}),
        ("lambda_fleet", {"state": "absent"}),
        ("lambda_reap", {}),
        ("lambda_fleet_info", {}),
    ],
    ids=str,
)
def test_a_name_and_a_tag_lead_nowhere(act, cloud, tmp_path, state, action, more, name):
    node = launch(
        cloud, "x", tags=[{"key": "gh200:fleet", "value": name}, {"key": "gh200:node", "value": "../y"}, *PAST]
    )
    before = files(tmp_path)
    where = {} if action == "lambda_fleet_info" else {"state_dir": str(state)}
    result = act(action, **cloud.options, name=name, **where, **more)
    assert files(tmp_path) == before and list(state.iterdir()) == []
    assert result.get("failed") is (None if action == "lambda_fleet_info" else True) and "\n" not in result.get(
        "msg", ""
    )
    assert cloud.cloud.paid_now() == [node]


def test_the_other_fleets_are_reaped_all_the_same(act, cloud, state):
    bad = launch(cloud, "x", tags=[{"key": "gh200:fleet", "value": "../../x"}, *PAST])
    launch(cloud, "r2", tags=[{"key": "gh200:fleet", "value": "r2"}, {"key": "gh200:node", "value": "r2-00"}, *PAST])
    result = act("lambda_reap", **cloud.options, state_dir=str(state), poll_interval=0.01)
    assert result["failed"] and "'../../x' cannot be the name of a file" in result["msg"]
    assert cloud.cloud.paid_now() == [bad]
