# SPDX-License-Identifier: GPL-3.0-or-later
"""An account as the app, the admin and a test have it: its nouns in one world, its pace, and its bill."""

from __future__ import annotations

import time
from collections.abc import Callable

from . import bodies, catalogue, launch
from .config import ApiConfig
from .drivers import Driver
from .nouns.filesystems import Filesystems
from .nouns.firewall import Rules, Rulesets
from .nouns.instances import Instances
from .nouns.ssh_keys import SshKeys
from .pacing import Pacing
from .store import Object
from .world import World


class Cloud:
    """One account. `launch`, `instances` and `terminate` are for tests, which need not speak HTTP."""

    def __init__(self, config: ApiConfig, driver: Driver, now: Callable[[], float] = time.time):
        self.world = world = World(config, driver, now)
        self.config, self.clock, self.store, self.billing, self.faults = (
            config,
            world.clock,
            world.store,
            world.billing,
            world.faults,
        )
        self.pacing = Pacing(config, world.clock.now)
        self.vms = Instances(world)
        self.ssh_keys = SshKeys(world)
        self.filesystems = Filesystems(world)
        self.rules = Rules(world)
        self.rulesets = Rulesets(world)

    def instances(self) -> list[Object]:
        """All that are still shown."""
        return self.vms.listed()

    def launch(self, body: bodies.Launch) -> list[str]:
        """Start an instance: a list of its id."""
        return self.vms.create(body)

    def terminate(self, instance_ids: list[str]) -> list[Object]:
        """End instances, which are shown as terminating."""
        return self.vms.delete(instance_ids)

    def doom(self, instance_id: str, kind: str, after: float = 0.0, since: float | None = None) -> None:
        """Give an instance a fate; see World.doom."""
        self.world.doom(instance_id, kind, after, since)

    def types(self, shape: str = "") -> Object:
        """The catalogue with where there is capacity, or says so: `everywhere` or `nowhere`."""
        with self.world.turn():
            lies = {"everywhere": [catalogue.region(place) for place in catalogue.REGIONS], "nowhere": []}
            return {
                name: {
                    "instance_type": catalogue.instance_type(name, self.config.prices),
                    "regions_with_capacity_available": lies[shape]
                    if shape in lies
                    else launch.regions_with_capacity(name, self.store, self.config),
                }
                for name in catalogue.names()
            }

    # -- what the real API does not tell

    def bill(self) -> Object:
        """{"items": {id: {kind, name, from, to, seconds, dollars, is_billing, ...}}, "total": dollars}, of all that
        ever was.
        """
        with self.world.turn() as now:
            return self.billing.bill(now)

    def paid_now(self) -> list[str]:
        """Ids of the instances that are paid for at this moment."""
        with self.world.turn():
            return self.billing.paid_now()

    def most_paid(self, tags: dict[str, str] | None = None) -> int:
        """The largest number of instances with all these tags that were ever paid for at once."""
        with self.world.turn():
            return self.billing.most_paid(tags)

    @property
    def history(self) -> list[tuple[float, str, str]]:
        """Time, "paid" or "ended", and the instance's id, in the order of time."""
        with self.world.turn():
            return self.billing.history()

    @property
    def pacing_refusals(self) -> int:
        """Calls that came too fast."""
        return self.pacing.refusals
