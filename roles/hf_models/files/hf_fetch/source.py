# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a file comes from: the peers that have it, or the hub, which only its owner asks."""

from . import choice

REST = 5  # seconds after a failure in which a peer is not asked


class Source:
    """Answers for this node; the owners are the same on each."""

    def __init__(self, options, fleet, table):
        self.options, self.fleet, self.peers = options, fleet, table
        self.chosen, self.asked, self.banned, self.resting, self.inherited = {}, {}, set(), {}, set()

    def forget(self):
        """The fleet is another one now."""
        self.chosen = {}

    def order(self, model):
        """What this node lacks, first what most others need."""
        needers = self._needers(model)
        return sorted(model.lacks(), key=lambda name: (-sum(name in names for names in needers.values()), name))

    def _needers(self, model):
        """Address to names, for this model; the same on every node that knows the listing."""
        number = self.options.models.index(model)
        return {
            address: model.wanted(layers[number] if number < len(layers) else None)
            for address, layers in self.fleet.nodes.items()
        }

    def peer(self, model, name, now):
        """Address of a peer that has it. Another order on each node, so that not all ask the same one."""
        able = [
            one.address
            for one in list(self.peers.table.values())
            if one.has(model.key, name)
            and (one.address, model.key, name) not in self.banned
            and self.resting.get(one.address, 0) <= now
        ]
        return choice.heir(f"{name} for {self.fleet.address}", able)

    def is_mine(self, model, name, now):
        """Whether this node asks the hub for it: its owner, and its heir where the owner is gone or stuck.

        Nodes that had files at the start are heard first: one of them may have it.
        """
        patience, table = self.options.patience, self.peers.table
        if not table:
            return True
        if any(
            one.has(model.key, name) and (one.address, model.key, name) not in self.banned for one in table.values()
        ):
            return False
        early = self.fleet.holding | self.fleet.complete
        if any(one.status is None and one.address in early and now - one.since < patience for one in table.values()):
            return False
        owner = self._owner(model, name)
        if owner in table and self._is_lost(table[owner], now):
            needers = [address for address, names in self._needers(model).items() if name in names]
            alive = [one for one in needers if one not in table or not self._is_lost(table[one], now)]
            # All wait for the hub if it is down; when it is back, one file too many for each is enough.
            return choice.heir(name, alive) not in table and not self.inherited
        return owner not in table

    def to_hub(self, model, name):
        """It is fetched from the hub now."""
        self.asked.pop((model.key, name), None)
        if self._owner(model, name) in self.peers.table:
            self.inherited.add((model.key, name))

    def _owner(self, model, name):
        phase = (model.key, model.is_known())
        if phase not in self.chosen:
            self.chosen[phase] = choice.owners(model.listing, self._needers(model))
        return self.chosen[phase].get(name)

    def _is_lost(self, peer, now):
        """A node that is done and gives no such file gets none either."""
        patience = self.options.patience
        done = peer.status is not None and not peer.status["wants"]
        return done or peer.is_gone(now, patience) or peer.is_stuck(now, patience)

    def failed(self, model, name, now):
        """The peer that was asked did not give it."""
        self.resting[self.asked.pop((model.key, name), None)] = now + REST

    def blame(self, model, name):
        """Whether a peer gave the wrong file; it is not asked for it again."""
        peer = self.asked.pop((model.key, name), None)
        if peer:
            self.banned.add((peer, model.key, name))
        return peer is not None
