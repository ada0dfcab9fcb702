# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps the ledger as the account is: what was launched, told to end, and seen."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.client import Client

from . import plan
from .history import Event, Life
from .ledger import Ledger
from .spec import EndSpec


class Books:
    """The ledger of one fleet beside its account. `say` gets what happens, a line each."""

    def __init__(self, client: Client, spec: EndSpec, ledger: Ledger, say: t.Callable[[str], None]):
        self.client, self.spec, self.ledger, self.say = client, spec, ledger, say
        self.seen: set[str] = set()
        self.asked: dict[str, float] = {}
        self.first_looked: dict[str, float] = {}

    def open(self) -> None:
        """What cannot be read in the ledger is set aside, and told of."""
        odd = self.ledger.set_aside()
        if odd:
            self.say(odd)

    def reconcile(self, listed: list[models.Instance]) -> set[str]:
        """Bring the ledger to what the list says; the nodes whose fate is not clear yet.

        Nothing is launched for those: the list may lag behind the calls, and a launch may have been carried out
        without an answer.
        """
        by_run = {
            instance.tags.get(plan.RUN): instance
            for instance in listed
            if instance.tags.get(plan.FLEET) == self.spec.name
        }
        waiting = {
            intent["node"] for intent in self.ledger.pending() if not self.is_settled(intent, by_run.get(intent["run"]))
        }
        shown = {instance.id: instance for instance in listed}
        self.seen |= set(shown)
        for life in list(self.ledger.lives().values()):
            self.look_at(life, shown.get(life.id))
            if life.id not in shown and self.ledger.lives()[life.id].gone is None:
                waiting.add(life.node)
        return waiting

    def is_settled(self, intent: Event, instance: models.Instance | None) -> bool:
        """Whether it is known now what came of a launch: the instance that has its tag, or none for long enough."""
        node, run, now = intent["node"], intent["run"], self.client.clock.now()
        if instance:
            self.ledger.write("launched", node=node, run=run, id=instance.id)
            self.say(f"found {node} ({instance.id}), whose launch had no clear answer")
            return True
        # One from the future, by a clock that was set back or a hand, is looked for from now on.
        since = min(intent["time"], self.first_looked.setdefault(run, now))
        if now - since <= self.spec.settle_time:
            return False
        self.ledger.write("lost", node=node, run=run)
        return True

    def look_at(self, life: Life, instance: models.Instance | None) -> None:
        """What the list shows of an instance that the ledger has; None for nothing."""
        if instance is None or instance.status == "terminated":
            if life.gone is None and (instance or self.is_gone(life)):
                self.ledger.write("gone", node=life.node, id=life.id)
                if life.terminated is None and life.ending is None:
                    self.say(f"{life.node} ({life.id}) is gone, and not by us")
        elif instance.is_gone:
            if life.ending is None:
                self.ledger.write("ending", node=life.node, id=life.id)
        elif (life.terminated, life.ending, life.gone) != (None, None, None):
            self.ledger.write("alive", node=life.node, id=life.id, status=instance.status)
        if instance and instance.price_cents_per_hour > life.price_cents_per_hour:
            self.ledger.write("price", node=life.node, id=life.id, price_cents_per_hour=instance.price_cents_per_hour)

    def look_after(self) -> None:
        """Before a run gives up.

        What it told to end is looked at, so that the receipt need not count the time until the next run.
        """
        if any(life.terminated and not life.ending and not life.gone for life in self.ledger.lives().values()):
            with contextlib.suppress(errors.CloudError, OSError):
                self.reconcile(self.client.instances())

    def is_gone(self, life: Life) -> bool:
        """Whether an instance that the list does not show is gone.

        One that is too young may not be shown yet; the other way to ask decides.
        """
        if (
            life.terminated is None
            and life.id not in self.seen
            and self.client.clock.now() - life.told <= self.spec.settle_time
        ):
            return False
        return self.is_unknown(life.id)

    def is_unknown(self, instance_id: str) -> bool:
        """Whether asking by id says that there is no such instance any more."""
        instance = self.client.instance(instance_id)
        return instance is None or instance.status == "terminated"

    def terminate(self, instance: models.Instance, why: str) -> None:
        """By exact id, from a list that was just read; told again when it still lives a while after."""
        now = self.client.clock.monotonic()
        if now - self.asked.get(instance.id, float("-inf")) < self.spec.resend_interval:
            return
        node = instance.tags.get(plan.NODE, "")
        again = "; this was accepted before and had no effect" if instance.id in self.asked else ""
        self.say(f"terminating {node} ({instance.id}){f', which is {why}' if why else ''}{again}")
        self.remember(instance, node)
        self.ledger.write("terminate", node=node, id=instance.id, why=why)
        try:
            self.client.terminate([instance.id])
        except errors.LambdaError as error:
            if error.kind != "not-found":
                raise
            # Gone meanwhile is what we want. An API that does not know what it shows is asked again at the next look.
            if not self.is_unknown(instance.id):
                return
        self.asked[instance.id] = now
        self.ledger.write("terminated", node=node, id=instance.id)

    def remember(self, instance: models.Instance, node: str) -> None:
        """What runs or is ended must be in the ledger, so that the receipt has it."""
        if instance.id not in self.ledger.lives():
            self.ledger.write(
                "adopted",
                node=node,
                id=instance.id,
                run=instance.tags.get(plan.RUN, ""),
                begin=plan.stamp(instance, plan.LAUNCHED),
                price_cents_per_hour=instance.price_cents_per_hour,
                instance_type=instance.instance_type,
                region=instance.region,
            )
