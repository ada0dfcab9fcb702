# SPDX-License-Identifier: GPL-3.0-or-later
"""An account as time goes by: what becomes of its instances without a call, and what they cost."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable, Iterator

from . import audit, filesystem, lifecycle
from .billing import Billing
from .clock import Clock
from .config import ApiConfig
from .drivers import Driver, IdleDriver
from .faults import KINDS, Faults
from .instance import Doom, Instance, Times
from .lifecycle import GONE
from .store import StateFile, Store, new_id


class World:
    """What all nouns of an account share: settings, clock, store, bills, faults and machines, and one lock for all."""

    def __init__(self, config: ApiConfig, driver: Driver, now: Callable[[], float]):
        self.config = config
        self.driver = driver
        self.clock = Clock(now, config.speed)
        self.file = StateFile(config.state_file)
        self.luck = random.Random(config.seed)
        self.lock = threading.RLock()
        self.faults = Faults()
        self.faults.doom = self.doom
        kept = self.file.read()
        self.store, written_at = kept or (Store(), 0.0)
        self.billing = Billing(self.store, config)
        self.clock.not_before(written_at)
        self._open(is_new=kept is None)

    def _open(self, is_new: bool) -> None:
        """The account as it is configured, or as an earlier process left it."""
        now, store = self.clock.now(), self.store
        if is_new:
            for name, text in self.config.ssh_keys.items():
                key_id = new_id()
                store.ssh_keys[key_id] = {"id": key_id, "name": name, "public_key": text}
            for name, place in self.config.filesystems.items():
                item = filesystem.new(name, place, now)
                store.filesystems[item["id"]] = item
        for item in store.filesystems.values():
            if item["id"] not in store.bills:
                store.bills[item["id"]] = filesystem.new_bill(item, now)
        for instance in store.instances.values():
            if instance.id not in store.bills:
                self.billing.launched(instance)
        for name, value in store.account.items():
            setattr(self.config, name, value)
        self.save()

    # -- what a call does first, and last

    @contextlib.contextmanager
    def turn(self) -> Iterator[float]:
        """A call's turn, one at a time: the simulated time, at which everything is where clock, nodes and fates have
        it.
        """
        with self.lock:
            self.tick()
            yield self.clock.now()

    def tick(self) -> None:
        """Bring every instance to where the clock, its node and its fate are."""
        with self.lock:
            now = self.clock.now()
            changed = [self._settle(instance, now) for instance in list(self.store.instances.values())]
            if any(changed):
                self.save()

    def save(self) -> None:
        """Keep the account."""
        self.file.write(self.store, self.clock.now())

    def noted(self, resource: str, action: str, ids: list[str], **details: str) -> None:
        """Write down what was done, as "ssh_key", "created", and keep the account."""
        audit.note(self.store, self.clock.now(), resource, action, ids, **details)
        self.save()

    # -- the clock's work

    def _settle(self, instance: Instance, now: float) -> bool:
        """Whether something has changed."""
        before, times = instance.status, instance.times
        vanished = [fate.at for fate in times.fates if fate.kind == "vanish" and fate.at <= now]
        if vanished and before not in GONE:
            self.driver.destroy(instance.id)
            self.billing.end(instance, vanished[0])
            self._release(instance, vanished[0])
            del self.store.instances[instance.id]
            return True
        instance.status = lifecycle.status(self.config, self.driver, instance, now)
        if instance.status not in (*GONE, "booting"):
            # What has booted unseen is paid for since then; what broke in the boot is paid for since it is known.
            self.billing.begin(
                instance, min(now, times.launched + self.config.boot_seconds) if instance.status == "active" else now
            )
        if instance.status == "terminated" and times.ended is not None:
            gone = times.ended + self.config.terminate_seconds
            if before != "terminated":
                self._release(instance, gone)
            if now - gone >= self.config.retention_seconds:
                del self.store.instances[instance.id]
                return True
        return instance.status != before

    def _release(self, instance: Instance, gone: float) -> None:
        """Its filesystems are in use for a while after it has gone, longer if its fate is a late filesystem."""
        late = [fate.at - instance.times.launched for fate in instance.times.fates if fate.kind == "late-filesystem"]
        for filesystem_id in instance.mounted:
            until = gone + max([self.config.release_seconds, *late])
            self.store.releases[filesystem_id] = max(self.store.releases.get(filesystem_id, 0.0), until)

    # -- what a test does to it

    def doom(self, instance_id: str, kind: str, after: float = 0.0, since: float | None = None) -> None:
        """Give an instance a fate, `after` seconds from `since` or now; "none" takes all away. KeyError, ValueError."""
        if kind not in (*KINDS, "none"):
            raise ValueError(f"An instance cannot have the fate '{kind}': use {', '.join(KINDS)} or none.")
        with self.turn() as now:
            times = self._times(instance_id)
            if kind == "none":
                times.fates.clear()
            else:
                times.fates.append(Doom(kind, (now if since is None else since) + after))
            times.held = ""
            self.save()

    def hold(self, instance_id: str, status: str) -> None:
        """A status that an instance has until it is terminated. KeyError."""
        with self.lock:
            self._times(instance_id).held = status
            self.save()

    def _times(self, instance_id: str) -> Times:
        if instance_id not in self.store.instances:
            raise KeyError(f"There is no instance {instance_id}.")
        return self.store.instances[instance_id].times

    @contextlib.contextmanager
    def pretending(self) -> Iterator[None]:
        """What is done meanwhile is answered, and has not happened afterwards."""
        with self.turn():
            kept, driver = self.store.snapshot(), self.driver
            self.driver = IdleDriver(driver)
            try:
                yield
            finally:
                self.store.restore(kept)
                self.driver = driver
                self.save()
