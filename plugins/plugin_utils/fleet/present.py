# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings a fleet to what was declared: look, compare, do one thing, look again; and keeps what it has won."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.client import Client

from . import host_keys, plan, state_dir
from .books import Books
from .launch_terms import LaunchTerms
from .launcher import Launcher
from .ledger import Ledger
from .progress import LaunchProgress
from .readiness import Readiness
from .spec import FleetError, FleetSpec


class Fleet:
    """One fleet of one account, with its ledger and keys in `folder`. `say` gets lines of progress."""

    def __init__(self, client: Client, spec: FleetSpec, folder: str, say: t.Callable[[str], None]):
        self.client, self.spec, self.say = client, spec, say
        self.clock = client.clock
        self.began = self.clock.now()
        self.ledger = Ledger(folder, self.clock)
        self.keys = host_keys.HostKeys(folder)
        self.readiness = Readiness(spec.connect_with, spec.wait_for_ssh)
        self.books = Books(client, spec, self.ledger, say)
        self.progress = LaunchProgress(spec, self.ledger, self.clock, self.readiness, say)
        self.deadline = client.deadline = self.progress.deadline
        self.launcher: Launcher | None = None
        self.missing: list[str] = []

    # -- what is there

    def prepare(self) -> plan.Plan:
        """Read the account once and compare.

        Nothing is changed. What cannot be done is refused, and what runs all the same is named.
        """
        listed = self.client.instances()
        try:
            plan.require_members(
                self.spec.name,
                listed,
                self.spec.replace,
                {event["id"] for event in self.ledger.read() if "id" in event},
            )
            made = self.compare(listed)
            self.require_leave(made)
            if made.missing:
                self.make_launcher(made).terms.require_price(list(made.adopt.values()), made.to_pay)
            return made
        except (errors.CloudError, OSError) as error:
            raise self.failed(error, plan.members(self.spec.name, listed)) from error

    def compare(self, listed: list[models.Instance]) -> plan.Plan:
        """The account as it was just read, with the declaration."""
        spec = self.spec
        return plan.make(spec.name, spec.size, listed, self.clock.now(), spec.boot_deadline, spec.replace, spec.launch)

    def require_leave(self, made: plan.Plan) -> None:
        """Raises FleetError for what the user must say first: that nodes may go, or that a key may be believed."""
        if made.surplus and not self.spec.allow_shrink:
            names = ", ".join(instance.tags[plan.NODE] for instance in made.surplus)
            raise FleetError(
                f"Fleet {self.spec.name} has more nodes than the {self.spec.size} declared: {names}. "
                "Set allow_shrink to terminate these, or declare the larger size; nothing was changed."
            )
        for node, instance in made.adopt.items():
            if not self.keys.public(host_keys.name_of(instance)) and instance.id not in self.spec.accept_host_keys:
                raise FleetError(
                    f"{node} ({instance.id}) carries this fleet's tag, but its ssh host key was not made here, so "
                    "it cannot be verified. "
                    "Run this where it was launched, or copy that state folder here; or accept the key that it "
                    "shows now with "
                    f"accept_host_keys: [{instance.id}]; or terminate it. Nothing was changed."
                )

    def make_launcher(self, made: plan.Plan) -> Launcher:
        """What launches need is read when the first one is missing."""
        if self.launcher is None:
            terms = LaunchTerms(self.client, self.spec, list(made.adopt.values()))
            self.launcher = Launcher(self.client, self.spec, terms, self.ledger, self.keys)
        return self.launcher

    # -- what is done

    def present(self, made: plan.Plan) -> dict[str, models.Instance]:
        """Carry the plan out; node to instance when all are there. Raises FleetError with what runs and is paid for."""
        nodes = made.adopt
        try:
            self.books.open()
            if self.launcher:
                self.progress.announce(made, self.launcher.terms)
            while True:
                complete = False
                try:
                    nodes, complete = self.step()
                except errors.LambdaError as error:
                    if not error.is_passing:
                        raise
                    self.progress.say(f"{error} Trying on.")
                if complete:
                    return nodes
                if self.clock.monotonic() >= self.deadline:
                    raise FleetError(self.progress.late(nodes, self.launcher))
                self.clock.sleep(min(self.pause(nodes), max(0.0, self.deadline - self.clock.monotonic())))
        except (errors.CloudError, OSError) as error:
            self.books.look_after()
            raise self.failed(error, nodes.values()) from error

    def failed(self, error: Exception, instances: t.Iterable[models.Instance] | None = None) -> FleetError:
        """The error, with what runs and is paid for.

        That is these instances, by default those of the account, and what the ledger knows.
        """
        if instances is None:
            with contextlib.suppress(errors.CloudError):
                instances = plan.members(self.spec.name, self.client.instances())
        what = (
            f"Fleet {self.spec.name} needs its files on this machine: {state_dir.reason(error)}."
            if isinstance(error, OSError)
            else str(error)
        )
        return FleetError(f"{what} {self.progress.standing(instances or (), what)}".strip())

    def step(self) -> tuple[dict[str, models.Instance], bool]:
        """Look once and do what can be done at once: the nodes, and whether all is as declared."""
        listed = self.client.instances()
        waiting = self.books.reconcile(listed)
        made = self.compare(listed)
        self.missing = made.missing
        for node, instance in made.adopt.items():
            self.books.remember(instance, node)
            self.accept_key(node, instance)
        for broken in made.replace:
            self.books.terminate(broken.instance, broken.why)
        for instance in made.surplus if self.spec.allow_shrink else ():
            self.books.terminate(instance, "not wanted any more")
        self.keys.write_known_hosts(made.adopt)
        self.readiness.greet(made.adopt.values())
        if (
            all(map(self.readiness.is_ready, made.adopt.values()))
            and not made.missing
            and not made.replace
            and not made.surplus
        ):
            return made.adopt, True
        self.launch_one(made, waiting)
        self.progress.report(made, waiting, self.launcher)
        return made.adopt, False

    def launch_one(self, made: plan.Plan, waiting: set[str]) -> None:
        """Try for the first missing node that may be asked for; those in `waiting` may be on their way."""
        free = [node for node in made.launch if node not in waiting]
        if not free or self.clock.monotonic() >= self.deadline:
            return
        # A launch whose fate is unknown may have been carried out in another region than the next one would be.
        if waiting and self.launcher and len(self.launcher.terms.regions) > 1:
            return
        self.require_hope(free[0])
        launcher = self.make_launcher(made)
        instance_id = launcher.attempt(free[0], list(made.adopt.values()), made.to_pay)
        if instance_id:
            self.say(f"launched {free[0]} ({instance_id}) in {launcher.terms.regions[0]}")
        elif self.ledger.pending():
            self.say(f"the launch of {free[0]} had no clear answer; looking for it before anything else")

    def require_hope(self, node: str) -> None:
        """Raises FleetError for a node whose instances were no good in this run, as often as that may be."""
        events = [event for event in self.ledger.read() if event["time"] >= self.began]
        came = [event["id"] for event in events if event["event"] == "launched" and event["node"] == node]
        if len(came) <= self.spec.max_replacements:
            return
        ends = {event["id"]: event["why"] for event in events if event["event"] == "terminate"}
        reasons = ", ".join(dict.fromkeys(ends.get(instance_id, "vanished") for instance_id in came))
        raise FleetError(
            f"{node} was launched {len(came)} times in this run, and no instance was good ({reasons}), so no other is "
            f"launched (max_replacements is {self.spec.max_replacements}). Look at the account and ask Lambda about "
            "them, then run this again."
        )

    def accept_key(self, node: str, instance: models.Instance) -> None:
        """The key that an instance shows, if the user has said so and there is none yet."""
        name, address = host_keys.name_of(instance), self.readiness.address(instance)
        if (
            instance.id in self.spec.accept_host_keys
            and address
            and not self.keys.public(name)
            and self.keys.accept(name, address)
        ):
            self.say(f"accepted the host key that {node} ({instance.id}) shows at {address}")

    def pause(self, nodes: dict[str, models.Instance]) -> float:
        """Seconds until the next look: when a launch may go, and sooner while something boots."""
        if self.launcher is None or not self.missing:
            return self.spec.poll_interval
        boots = self.ledger.pending() or not all(map(self.readiness.is_ready, nodes.values()))
        return min(self.launcher.wait, self.spec.poll_interval) if boots else self.launcher.wait
