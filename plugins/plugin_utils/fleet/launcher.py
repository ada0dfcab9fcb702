# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One launch after the other, when and where there is a chance for it. Never the same one twice."""

from __future__ import annotations

import random

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.client import Client

from . import host_keys, ledger, plan
from .launch_terms import LaunchTerms
from .spec import FleetSpec

LONGEST_PAUSE = 30.0  # seconds between two looks, however often the last ones were in vain


class Launcher:
    """Tries for the missing nodes of a fleet, and remembers how that went."""

    def __init__(
        self, client: Client, wanted: FleetSpec, terms: LaunchTerms, log: ledger.Ledger, keys: host_keys.HostKeys
    ):
        self.client, self.wanted, self.terms, self.ledger, self.keys = client, wanted, terms, log, keys
        self.clock = client.clock
        self.refused = self.misses = 0
        self.reason = ""
        self.next_try = 0.0
        self.blind = float("-inf")
        self.expires = 0.0

    def attempt(self, node: str, running: list[models.Instance], missing: int) -> str:
        """Ask for one instance if it is time and there is a chance; its id, or empty.

        Raises LambdaError for a refusal that waiting does not mend, FleetError for a price above the ceiling.
        """
        if self.clock.monotonic() < self.next_try:
            return ""
        if running:
            self.terms.settle_on(running[0].region)
        region = self._region(self.terms.look(self.client))
        self.terms.require_price(running, missing)
        if not region:
            self._pause("no capacity is shown")
            return ""
        try:
            return self._launch(node, region, running)
        except errors.LambdaError as error:
            if error.kind == "capacity":
                self.refused += 1
                self._pause(error.code)
            elif not error.is_ambiguous:
                raise
            return ""

    @property
    def wait(self) -> float:
        """Seconds until the next try makes sense."""
        return max(self.next_try - self.clock.monotonic(), self.client.launch_wait())

    def _region(self, offer: models.Offer) -> str:
        """The first region with capacity.

        The catalogue errs both ways, so one that shows none is tried too, now and then.
        """
        shown = [region for region in self.terms.regions if region in offer.regions]
        if shown:
            return shown[0]
        if self.clock.monotonic() - self.blind < self.wanted.blind_interval:
            return ""
        self.blind = self.clock.monotonic()
        # Another region each time.
        self.terms.regions = [*self.terms.regions[1:], self.terms.regions[0]]
        return self.terms.regions[-1]

    def _launch(self, node: str, region: str, running: list[models.Instance]) -> str:
        """One launch, in the ledger before and after."""
        now = self.clock.now()
        run = f"{int(now)}-{random.getrandbits(48):012x}"
        tags = {plan.FLEET: self.wanted.name, plan.NODE: node, plan.RUN: run, plan.LAUNCHED: str(int(now))}
        if self.wanted.max_life:
            tags[plan.EXPIRES] = str(int(self._expiry(running, now)))
        self.keys.make(run, node)
        order = models.Launch(
            node,
            self.wanted.instance_type,
            region,
            self.wanted.ssh_key_name,
            self.wanted.filesystems,
            self.wanted.image_family,
            self.keys.user_data(run, node, self.wanted.user_data),
            tags,
            self.terms.rulesets.get(region, ()),
        )
        price = self.terms.offer.price_cents_per_hour
        intent = {"instance_type": order.instance_type, "region": region, "price_cents_per_hour": price}
        try:
            # Not before its turn has come: how long it is looked for counts from here.
            instance_id = self.client.launch(order, lambda: self.ledger.write("intend", node=node, run=run, **intent))
        except errors.LambdaError as error:
            if error.is_ambiguous:
                self.ledger.write("unclear", node=node, run=run)
            else:
                self.ledger.write("refused", node=node, run=run, code=error.code or error.kind)
                self.keys.forget(run)
            raise
        self.ledger.write("launched", node=node, run=run, id=instance_id)
        self.misses, self.reason, self.next_try = 0, "", 0.0
        self.terms.settle_on(region)
        return instance_id

    def _expiry(self, running: list[models.Instance], now: float) -> float:
        """One end for the whole fleet: a node that comes later does not live longer."""
        stamps = [stamp for instance in running if (stamp := plan.stamp(instance, plan.EXPIRES))]
        self.expires = self.expires or min(stamps, default=now + self.wanted.max_life)
        return self.expires

    def _pause(self, reason: str) -> None:
        self.misses += 1
        self.reason = reason
        longest = max(min(LONGEST_PAUSE, 6 * self.wanted.poll_interval), self.wanted.poll_interval)
        pause = min(self.wanted.poll_interval * 1.5 ** min(self.misses, 20), longest)
        self.next_try = self.clock.monotonic() + pause * random.uniform(0.9, 1.1)
