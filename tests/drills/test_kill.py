# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of the control process at every step of a launch of eight and of their end, then the same again: the same
end, no double, no orphan.

docs/fleet.md has the table of these drills, and the last test holds it to what they find.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.clock import Clock

from tests.integration.simulator import simulator
from tests.integration.world import LAUNCH, World

from .killing import in_a_process

SIZE = 8
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "fleet.md"
# A launch without a clear answer is looked for this long; the other times are nothing.
TOLD = {"settle_time": 0.15, "poll_interval": 0.01, "deadline": 60, "resend_interval": 0.2}


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    """The pace of another test is not kept."""
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(name="found", scope="module")
def outcomes():
    """The kinds of moments at which there was a kill; filled by the drills."""
    return {"up": set(), "down": set()}


class Quick(World):
    """A world in which nothing takes time."""

    def client(self):
        made = super().client()
        made.http.pace.intervals = {"request": 0, "launch": 0}
        return made

    def whole(self):
        """All eight once, all known, all keys at hand."""
        alive = self.alive()
        assert sorted(alive) == [f"r1-{number:02d}" for number in range(SIZE)]
        assert all(len(ids) == 1 for ids in alive.values())
        assert self.paid() == {ids[0] for ids in alive.values()} <= set(self.lives())
        assert self.sim.cloud.billing.most_paid({"gh200:fleet": "r1"}) == SIZE
        with open(f"{self.folder}/r1/known_hosts", encoding="utf-8") as lines:
            assert len(lines.readlines()) == 3 * SIZE
        return True


def test_a_launch_of_eight_is_killed_at_every_step(tmp_path, found):
    with simulator() as sim:
        world = Quick(sim, Clock(), tmp_path / "whole")
        killed, steps = in_a_process(lambda: world.up(SIZE, **TOLD))
        assert not killed and world.whole()
    print(f"{len(steps)} kills of a launch")
    for number, label in enumerate(steps):
        with simulator() as sim:
            world = Quick(sim, Clock(), tmp_path / str(number))
            assert in_a_process(lambda world=world: world.up(SIZE, **TOLD), number)[0], f"step {number} was not reached"
            left = len(world.paid())
            asked = world.count(LAUNCH)
            world.up(SIZE, **TOLD)
            assert world.whole(), f"killed {label} (step {number})"
            found["up"].add(label)
            assert left <= asked <= SIZE and world.count(LAUNCH) == SIZE


def test_the_end_of_eight_is_killed_at_every_step(tmp_path, found):
    def fresh(sim, name):
        world = Quick(sim, Clock(), tmp_path / name)
        world.up(SIZE, **TOLD)
        return world

    with simulator() as sim:
        killed, steps = in_a_process(functools.partial(fresh(sim, "whole").down, **TOLD))
        assert not killed
    print(f"{len(steps)} kills of an end")
    for number, label in enumerate(steps):
        with simulator() as sim:
            world = fresh(sim, str(number))
            stranger = World.up(Quick(sim, Clock(), tmp_path / str(number)), 1, name="r1-prod", **TOLD)
            assert in_a_process(lambda world=world: world.down(**TOLD), number)[0], f"step {number} was not reached"
            world.down(**TOLD)
            assert world.paid() == set(stranger.values()), f"killed {label} (step {number})"
            assert all(life.gone for life in world.lives().values())
            found["down"].add(label)


def test_the_document_has_the_table_of_these_drills(found):
    table = set()
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        row = re.fullmatch(r"\| (launch|end) \| (.+?) \| .+ \|", line)
        if row:
            table.add((row[1], row[2]))
    expected = {("launch", label) for label in found["up"]} | {("end", label) for label in found["down"]}
    assert table == expected, "write the table anew: " + "\n".join(
        f"| {phase} | {label} | |" for phase, label in sorted(expected)
    )
