# SPDX-License-Identifier: GPL-3.0-or-later
"""An account as time goes by: what becomes of its instances without a call, and what they cost."""

from __future__ import annotations

import contextlib
import copy
import random
import threading
import time
from collections.abc import Callable, Iterator

from . import lifecycle
from .billing import Billing
from .clock import Clock
from .config import ApiConfig
from .drivers import IdleDriver
from .faults import KINDS, Faults
from .lifecycle import GONE
from .pacing import Pacing
from .store import Store, filesystem, new_id


class World:
    """One account in its store, with its clock, bills, faults and nodes."""

    def __init__(self, config: ApiConfig, driver, now: Callable[[], float] = time.time, faults: Faults | None = None):
        self.config = config
        self.driver = driver
        self.clock = Clock(now, config.speed)
        self.store = Store(config, self.clock)
        self.billing = Billing(self.store, config)
        self.faults = faults or Faults()
        self.faults.doom = self.doom
        self.luck = random.Random(config.seed)
        self.pacing = Pacing(config, self.clock.now)
        self.lock = threading.RLock()
        self._open()

    # -- the clock's work

    def tick(self) -> None:
        """Bring every instance to where the clock, its node and its fate are."""
        with self.lock:
            now = self.clock.now()
            changed = [self._settle(instance, self.store.times[instance["id"]], now) for instance in list(self.store.instances.values())]
            if any(changed):
                self.store.save()

    def _settle(self, instance: dict, times: dict, now: float) -> bool:
        """Whether something has changed."""
        before = instance["status"]
        if instance["id"] not in self.store.bills:
            # Of an older file, or put into the store by a test.
            self.billing.launched(instance, times["launched"])
        vanished = [fate["at"] for fate in times.get("fates", ()) if fate["kind"] == "vanish" and fate["at"] <= now]
        if vanished and before not in GONE:
            self.driver.destroy(instance["id"])
            self.billing.end(instance["id"], vanished[0])
            self._release(instance, times, vanished[0])
            self._forget(instance)
            return True
        instance["status"] = lifecycle.status(self.config, self.driver, instance, times, now)
        if instance["status"] not in (*GONE, "booting"):
            # What has booted unseen is paid for since then; what broke in the boot is paid for since it is known.
            self.billing.begin(instance["id"], min(now, times["launched"] + self.config.boot_seconds) if instance["status"] == "active" else now)
        if instance["status"] == "terminated":
            gone = times["ended"] + self.config.terminate_seconds
            if before != "terminated":
                self._release(instance, times, gone)
            if now - gone >= self.config.retention_seconds:
                self._forget(instance)
                return True
        return instance["status"] != before

    def _forget(self, instance: dict) -> None:
        """It is shown no more; its bill stays."""
        del self.store.instances[instance["id"]]
        del self.store.times[instance["id"]]

    def _release(self, instance: dict, times: dict, gone: float) -> None:
        """Its filesystems are in use for a while after it has gone, longer if its fate is a late filesystem."""
        late = [fate["at"] - times["launched"] for fate in times.get("fates", ()) if fate["kind"] == "late-filesystem"]
        for filesystem_id in mounted(instance):
            self.store.releases[filesystem_id] = max(self.store.releases.get(filesystem_id, 0.0), gone + max([self.config.release_seconds, *late]))

    def shown(self, instance: dict) -> dict:
        """The object as the API gives it."""
        return lifecycle.shown(self.config, instance, self.store.times[instance["id"]], self.clock.now())

    # -- for tests

    def bill(self) -> dict:
        """{"items": {id: {kind, name, from, to, seconds, dollars, is_billing, ...}}, "total": dollars}, of all that ever was."""
        with self.lock:
            self.tick()
            return self.billing.bill(self.clock.now())

    def paid_now(self) -> list[str]:
        """Ids of the instances that are paid for at this moment."""
        with self.lock:
            self.tick()
            return self.billing.paid_now()

    def most_paid(self, tags: dict[str, str] | None = None) -> int:
        """The largest number of instances with all these tags that were ever paid for at once."""
        with self.lock:
            self.tick()
            return self.billing.most_paid(tags)

    @property
    def pacing_refusals(self) -> int:
        """Calls that came too fast."""
        return self.pacing.refusals

    @property
    def history(self) -> list[tuple[float, str, str]]:
        """Time, "paid" or "ended", and the instance's id, in the order of time."""
        with self.lock:
            self.tick()
            return sorted((tuple(entry) for entry in self.store.history), key=lambda entry: entry[0])

    def doom(self, instance_id: str, kind: str, after: float = 0.0, since: float | None = None) -> None:
        """Give an instance a fate, `after` seconds from `since` or now; "none" takes all away. KeyError, ValueError."""
        with self.lock:
            if kind not in (*KINDS, "none"):
                raise ValueError(f"An instance cannot have the fate '{kind}': use {', '.join(KINDS)} or none.")
            self.tick()
            if instance_id not in self.store.instances:
                raise KeyError(f"There is no instance {instance_id}.")
            times = self.store.times[instance_id]
            moment = self.clock.now() if since is None else since
            times["fates"] = [] if kind == "none" else [*times.get("fates", ()), {"kind": kind, "at": moment + after}]
            times.pop("held", None)
            self.store.save()

    @contextlib.contextmanager
    def pretending(self) -> Iterator[None]:
        """What is done meanwhile is answered, and has not happened afterwards."""
        with self.lock:
            self.tick()
            data, driver = copy.deepcopy(self.store.data), self.driver
            self.driver = IdleDriver(driver)
            try:
                yield
            finally:
                self.store.data, self.driver = data, driver
                self.store.save()

    # -- inside

    def _open(self) -> None:
        """The account as it is configured, or as an earlier process left it."""
        now = self.clock.now()
        if self.store.is_new:
            for name, text in self.config.ssh_keys.items():
                key = {"id": new_id(), "name": name, "public_key": text}
                self.store.ssh_keys[key["id"]] = key
            for name, place in self.config.filesystems.items():
                item = filesystem(name, place, now)
                self.store.filesystems[item["id"]] = item
        for item in self.store.filesystems.values():
            if item["id"] not in self.store.bills:
                self.billing.created(item, now)
        for name, value in self.store.account.items():
            setattr(self.config, name, value)
        self.store.save()


def mounted(instance: dict) -> list[str]:
    """Ids of an instance's filesystems."""
    return [entry["file_system_id"] for entry in instance["file_system_mounts"]]
