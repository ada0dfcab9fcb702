# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ends a fleet, or some nodes of it, and goes on until nothing of that is left that is paid for."""

from __future__ import annotations

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.client import Client

from . import host_keys, plan, state_dir
from .books import Books
from .ledger import Ledger
from .progress import Progress
from .spec import EndSpec, FleetError


def members(client: Client, name: str) -> list[models.Instance]:
    """What carries the fleet's tag and is not gone."""
    return plan.members(name, client.instances())


class Ending:
    """The end of one fleet.

    Its `folder` may be in any state: what cannot be read or written there is told of by `say`, and the account
    decides.
    """

    def __init__(self, client: Client, spec: EndSpec, folder: str, say: t.Callable[[str], None]):
        self.client, self.spec, self.say = client, spec, say
        self.keys = host_keys.HostKeys(folder)
        ledger = Ledger(folder, client.clock, say)
        self.books = Books(client, spec, ledger, say)
        self.progress = Progress(spec, ledger, client.clock, say)
        client.deadline = self.progress.deadline

    def absent(self, only: set[str] | None = None) -> list[str]:
        """Terminate the fleet, or the instances of it with these ids, and wait until the API shows none of them.

        Returns the ids that were terminated.

        Raises FleetError at the deadline, naming what may still be paid for.
        """
        self.books.open()
        ended: dict[str, models.Instance] = {}
        while left := self.try_step(ended, only):
            now = self.client.clock.monotonic()
            if now >= self.progress.deadline:
                self.books.look_after()
                raise FleetError(
                    f"After {self.spec.deadline:.0f} s these are still there and may be paid for: {', '.join(left)}. "
                    "Run teardown again, then look at the website."
                )
            self.client.clock.sleep(min(self.spec.poll_interval, self.progress.deadline - now))
        self.forget(ended.values(), whole=only is None)
        return list(ended)

    def try_step(self, ended: dict[str, models.Instance], only: set[str] | None) -> list[str]:
        """One look, as far as the API lets it; what is left, in words."""
        try:
            left = self.step(ended, only)
        except errors.LambdaError as error:
            if not error.is_passing:
                raise
            self.progress.say(f"{error} Trying on.")
            return ["what the API did not show"]
        if left:
            self.progress.say(f"waiting for {', '.join(left[:4])}{' and others' if len(left) > 4 else ''} to be gone")
        return left

    def step(self, ended: dict[str, models.Instance], only: set[str] | None) -> list[str]:
        """One look; tells the living to end. What is left, in words."""
        listed = self.client.instances()
        waiting = self.books.reconcile(listed)
        left, named = [], set()
        for instance in listed:
            if (
                instance.tags.get(plan.FLEET) != self.spec.name
                or instance.status == "terminated"
                or (only is not None and instance.id not in only)
            ):
                continue
            left.append(f"{instance.tags.get(plan.NODE)} ({instance.id}, {instance.status})")
            named.add(instance.tags.get(plan.NODE))
            if not instance.is_gone:
                self.books.terminate(instance, "" if only is None else "past its life")
                ended.setdefault(instance.id, instance)
        if only is not None:
            return left
        return left + [f"{node} (its launch is not clear yet)" for node in sorted(waiting) if node not in named]

    def forget(self, ended: t.Iterable[models.Instance], whole: bool) -> None:
        """The keys of what is gone; of a `whole` fleet all that there are."""
        try:
            if whole:
                self.keys.forget_all()
            for instance in ended:
                self.keys.forget(host_keys.name_of(instance))
        except OSError as error:
            self.say(f"{state_dir.reason(error)}: keys of nodes that are gone are left there.")
