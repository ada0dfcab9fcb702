# SPDX-License-Identifier: GPL-3.0-or-later
"""When a node's bill has ended at the latest, by what was accepted and what was seen."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import history

BEGIN = [
    {"time": 100.0, "event": "intend", "node": "r1-00", "run": "100-a", "price_cents_per_hour": 229},
    {"time": 101.0, "event": "launched", "node": "r1-00", "run": "100-a", "id": "i1"},
]


@pytest.mark.parametrize(
    ("seen", "end"),
    [
        ([], None),
        ([(500, "terminated")], None),
        ([(500, "terminated"), (505, "ending")], None),
        ([(500, "terminated"), (505, "ending"), (570, "gone")], 505),
        ([(500, "terminated"), (505, "gone")], 505),
        ([(500, "gone")], 500),
        # Nobody looked for an hour.
        ([(500, "terminated"), (4100, "gone")], 500),
        # It had no effect.
        ([(500, "terminated"), (4100, "alive"), (4105, "gone")], 4105),
        ([(500, "terminated"), (505, "alive"), (560, "terminated"), (570, "ending"), (600, "gone")], 570),
        ([(500, "terminated"), (505, "gone"), (4100, "alive")], None),
        ([(500, "terminated"), (505, "gone"), (4100, "alive"), (4101, "terminated"), (4105, "gone")], 4105),
    ],
)
def test_the_end_is_what_was_seen(seen, end):
    life = history.lives(BEGIN + [{"time": float(when), "event": event, "id": "i1"} for when, event in seen])["i1"]
    assert life.end == end and life.seconds(10000.0) == (end or 10000.0) - 100


def test_a_launch_counts_without_an_id_only_where_its_answer_was_missing():
    lost = {"time": 140.0, "event": "lost", "node": "r1-00", "run": "100-a"}
    unclear = {"time": 110.0, "event": "unclear", "node": "r1-00", "run": "100-a"}
    assert history.unseen([BEGIN[0], lost]) == []
    (life,) = history.unseen([BEGIN[0], unclear, lost])
    assert (life.id, life.begin, life.end) == ("", 100.0, 140.0)
