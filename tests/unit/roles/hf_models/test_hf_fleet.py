# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is of the fleet, and who asks the hub for what."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest


def fleet(part, tmp_path, **content):
    (tmp_path / "fleet.json").write_text(json.dumps(content), encoding="utf-8")
    return part("fleet").Fleet(tmp_path / "fleet.json", "10.0.0.1")


def test_a_fleet_names_what_each_needs_of_each_model(part, tmp_path):
    found = fleet(part, tmp_path, addresses=["10.0.0.1", "10.0.0.2"], layers=[{"10.0.0.1": [0, 3]}, {}])
    assert found.nodes == {"10.0.0.1": [[0, 3], None], "10.0.0.2": [None, None]} and found.peers() == ["10.0.0.2"]
    assert not found.reload()
    assert fleet(part, tmp_path, addresses=["10.0.0.2", "10.0.0.3"]).peers() == []


def test_a_complete_node_has_to_give_once_while_another_lacks_something(part, tmp_path):
    both = ["10.0.0.1", "10.0.0.2"]
    found = fleet(part, tmp_path, addresses=both, complete=["10.0.0.1"])
    assert found.waits()
    found.note_given()
    assert not found.waits()
    assert fleet(part, tmp_path, addresses=[*both, "10.0.0.3"], complete=both).waits()
    assert not fleet(part, tmp_path, addresses=both, complete=both).waits()


def test_a_fleet_that_cannot_be_read_is_none(part, tmp_path):
    (tmp_path / "fleet.json").write_text("{", encoding="utf-8")
    assert part("fleet").Fleet(tmp_path / "fleet.json", "10.0.0.1").peers() == []
    assert part("fleet").Fleet(None, "").peers() == []


class Scene:
    """Three nodes that need the whole model; node 1 asks."""

    def __init__(self, part, model, tmp_path, holding=()):
        peers = part("peers")
        self.model = model(names=["model.safetensors.index.json", "config.json"])
        addresses = [f"10.0.0.{number}" for number in (1, 2, 3)]
        self.table = {one: peers.Peer(one, 0) for one in addresses[1:]}
        self.source = part("source").Source(
            SimpleNamespace(models=[self.model], patience=60),
            fleet(part, tmp_path, addresses=addresses, layers=[{}], holding=list(holding)),
            SimpleNamespace(table=self.table),
        )

    def saw(self, address, now, have=(), wants=True, moved=0):
        self.table[address].saw({"have": {self.model.key: set(have)}, "wants": wants, "moved": moved}, now)

    def mine(self, now):
        return {name for name in self.model.lacks() if self.source.is_mine(self.model, name, now)}

    def owned_by(self, *addresses):
        return {name for name in self.model.lacks() if self.source._owner(self.model, name) in addresses}


@pytest.fixture(name="scene")
def three_nodes(part, model, tmp_path):
    return lambda **more: Scene(part, model, tmp_path, **more)


def test_a_node_asks_the_hub_for_its_own_files(scene):
    one = scene()
    assert one.mine(1) == one.owned_by("10.0.0.1") and 0 < len(one.mine(1)) < 3


def test_what_a_peer_has_is_not_asked_of_the_hub(scene):
    one = scene()
    own = one.mine(1)
    one.saw("10.0.0.3", 1, have=own)
    assert one.mine(1) == set() and one.source.peer(one.model, min(own), 1) == "10.0.0.3"


def test_nodes_that_had_something_are_heard_first_and_not_for_ever(scene):
    one = scene(holding=["10.0.0.2"])
    assert one.mine(1) == set() and one.mine(61)


@pytest.mark.parametrize("fate", ["never seen", "gone", "stuck", "done"])
def test_an_owner_that_is_lost_has_heirs_and_each_takes_one_at_a_time(scene, fate):
    one = scene()
    for address in one.table:
        if fate != "never seen":
            one.saw(address, 1, moved=1, wants=fate != "done")
        if fate == "gone":
            one.table[address].refused = 3
        if fate == "stuck":
            one.saw(address, 70, moved=1)
    assert one.mine(70) == one.model.lacks()
    one.source.to_hub(one.model, min(one.owned_by("10.0.0.2", "10.0.0.3")))
    assert one.mine(70) == one.owned_by("10.0.0.1")


def test_a_peer_that_gave_something_wrong_is_asked_no_more(scene):
    one = scene()
    name = min(one.mine(1))
    one.saw("10.0.0.3", 1, have=[name])
    one.source.asked[(one.model.key, name)] = "10.0.0.3"
    assert one.source.blame(one.model, name)
    assert one.source.peer(one.model, name, 1) is None and name in one.mine(1)
    assert not one.source.blame(one.model, name)  # this time it came from the hub
