# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings a fleet to what was declared: look, compare, do one thing, look again; and keeps what it has won."""

from __future__ import annotations

import concurrent.futures
import contextlib
import socket
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import client, errors, models

from . import host_keys, ledger, plan, state_dir
from .history import Life
from .spec import FleetSpec, FleetError
from .launcher import Launcher
from .launch_terms import LaunchTerms
from .progress import Progress


class Fleet:
    """One fleet of one account, with its ledger and keys in `folder`. `say` gets lines of progress."""

    def __init__(self, cloud: client.Client, spec: FleetSpec, folder: str, say: t.Callable[[str], None]):
        self.cloud, self.spec, self.say = cloud, spec, say
        self.clock = cloud.http.clock
        self.ledger = ledger.Ledger(folder, self.clock)
        self.keys = host_keys.HostKeys(folder)
        self.deadline = cloud.http.deadline = self.clock.monotonic() + spec.deadline
        self.seen: set[str] = set()
        self.answered: set[str] = set()
        self.asked: dict[str, float] = {}
        self.first_looked: dict[str, float] = {}
        self.launcher: Launcher | None = None
        self.progress = Progress(self)

    # -- what is there

    def plan(self) -> plan.Plan:
        """Read the account once and compare; nothing is changed. What cannot be done is refused, and what runs all the same is named."""
        listed = self.cloud.instances()
        try:
            return self.planned(listed)
        except (errors.CloudError, OSError) as error:
            raise self.failed(error, plan.members(self.spec.name, listed)) from error

    def planned(self, listed: list[models.Instance]) -> plan.Plan:
        """The account as it was just read, with the declaration."""
        plan.require_members(self.spec.name, listed, self.spec.replace, {event.get("id") for event in self.ledger.read()})
        made = self.compare(listed)
        if made.surplus and not self.spec.allow_shrink:
            names = ", ".join(instance.tags[plan.NODE] for instance in made.surplus)
            raise FleetError(
                f"Fleet {self.spec.name} has more nodes than the {self.spec.size} declared: {names}. "
                "Set allow_shrink to terminate these, or declare the larger size; nothing was changed."
            )
        for node, instance in made.adopt.items():
            if not self.keys.public(host_keys.name_of(instance)) and instance.id not in self.spec.accept_host_keys:
                raise FleetError(
                    f"{node} ({instance.id}) carries this fleet's tag, but its ssh host key was not made here, so it cannot be verified. "
                    "Run this where it was launched, or copy that state folder here; or accept the key that it shows now with "
                    f"accept_host_keys: [{instance.id}]; or terminate it. Nothing was changed."
                )
        if made.missing:
            terms = LaunchTerms(self.cloud, self.spec, list(made.adopt.values()))
            terms.require_price(list(made.adopt.values()), len(made.missing))
            self.launcher = Launcher(self.cloud, self.spec, terms, self.ledger, self.keys)
        return made

    def open_books(self) -> None:
        """What cannot be read in the ledger is set aside, and told of."""
        odd = self.ledger.set_aside()
        if odd:
            self.say(odd)

    def compare(self, listed: list[models.Instance]) -> plan.Plan:
        """The account as it was just read, with the declaration."""
        return plan.make(self.spec.name, self.spec.size, listed, self.clock.now(), self.spec.boot_deadline, self.spec.replace)

    # -- what is done

    def present(self, made: plan.Plan) -> dict[str, models.Instance]:
        """Carry the plan out; node to instance when all are there."""
        self.open_books()
        if made.missing:
            self.progress.announce(made)
        nodes = made.adopt
        try:
            while True:
                try:
                    nodes, complete = self.step()
                except errors.LambdaError as error:
                    if not error.is_passing:
                        raise
                    self.progress.say(f"{error} Trying on.")
                    complete = False
                if complete:
                    return nodes
                if self.clock.monotonic() >= self.deadline:
                    raise FleetError(self.progress.late(nodes))
                self.clock.sleep(min(self.pause(nodes), max(0.0, self.deadline - self.clock.monotonic())))
        except (errors.CloudError, OSError) as error:
            self.look_after()
            raise self.failed(error, nodes.values()) from error

    def failed(self, error: Exception, instances: t.Iterable[models.Instance] | None = None) -> FleetError:
        """The error with what runs and is paid for: these instances, by default those of the account, and what the ledger knows."""
        if instances is None:
            with contextlib.suppress(errors.CloudError):
                instances = plan.members(self.spec.name, self.cloud.instances())
        what = f"Fleet {self.spec.name} needs its files on this machine: {state_dir.reason(error)}." if isinstance(error, OSError) else str(error)
        return FleetError(f"{what} {self.progress.standing(instances or (), what)}".strip())

    def step(self) -> tuple[dict[str, models.Instance], bool]:
        """Look once and do what can be done at once: the nodes, and whether all is as declared."""
        listed = self.cloud.instances()
        waiting = self.reconcile(listed)
        made = self.compare(listed)
        for node, instance in made.adopt.items():
            self.note(node, instance)
        for broken in made.replace:
            self.terminate(broken.instance, broken.why)
        for instance in made.surplus if self.spec.allow_shrink else ():
            self.terminate(instance, "not wanted any more")
        self.keys.write_known_hosts(made.adopt)
        self.greet(made.adopt.values())
        ready = [node for node, instance in made.adopt.items() if self.is_ready(instance)]
        if len(ready) == self.spec.size and not made.replace and not made.surplus:
            return made.adopt, True
        free = [node for node in made.launch if node not in waiting]
        # A launch whose fate is unknown may have been carried out in another region than the next one would be.
        if free and not (waiting and self.launcher and len(self.launcher.terms.regions) > 1):
            self.launch(free[0], made)
        self.progress.report(made, len(ready), waiting)
        return made.adopt, False

    def launch(self, node: str, made: plan.Plan) -> None:
        """Try for one missing node."""
        if self.launcher is None:
            self.launcher = Launcher(self.cloud, self.spec, LaunchTerms(self.cloud, self.spec, list(made.adopt.values())), self.ledger, self.keys)
        if self.clock.monotonic() >= self.deadline:
            return
        instance_id = self.launcher.attempt(node, list(made.adopt.values()), len(made.missing))
        if instance_id:
            self.say(f"launched {node} ({instance_id}) in {self.launcher.terms.regions[0]}")
        elif self.ledger.pending():
            self.say(f"the launch of {node} had no clear answer; looking for it before anything else")

    def reconcile(self, listed: list[models.Instance]) -> set[str]:
        """Bring the ledger to what the list says; the nodes whose fate is not clear yet, so that nothing is launched for them.

        The list may lag behind the calls, and a launch may have been carried out without an answer.
        """
        by_run = {instance.tags.get(plan.RUN): instance for instance in listed if instance.tags.get(plan.FLEET) == self.spec.name}
        waiting = set()
        for intent in self.ledger.pending():
            # One from the future, by a clock that was set back or a hand, is looked for from now on.
            since = min(intent["time"], self.first_looked.setdefault(intent["run"], self.clock.now()))
            instance = by_run.get(intent["run"])
            if instance:
                self.ledger.write("launched", node=intent["node"], run=intent["run"], id=instance.id)
                self.say(f"found {intent['node']} ({instance.id}), whose launch had no clear answer")
            elif self.clock.now() - since > self.spec.settle_time:
                self.ledger.write("lost", node=intent["node"], run=intent["run"])
                self.keys.forget(intent["run"])
            else:
                waiting.add(intent["node"])
        shown = {instance.id: instance for instance in listed}
        self.seen |= set(shown)
        for life in list(self.ledger.lives().values()):
            self.look_at(life, shown.get(life.id))
            if life.id not in shown and self.ledger.lives()[life.id].gone is None:
                waiting.add(life.node)
        return waiting

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
        """Before a run gives up: what it told to end is looked at, so that the receipt need not count the time until the next run."""
        if any(life.terminated and not life.ending and not life.gone for life in self.ledger.lives().values()):
            with contextlib.suppress(errors.CloudError, OSError):
                self.reconcile(self.cloud.instances())

    def is_gone(self, life: Life) -> bool:
        """Whether an instance that the list does not show is gone. One that is too young may not be shown yet; the other way to ask decides."""
        if life.terminated is None and life.id not in self.seen and self.clock.now() - life.told <= self.spec.settle_time:
            return False
        return self.is_unknown(life.id)

    def is_unknown(self, instance_id: str) -> bool:
        """Whether asking by id says that there is no such instance any more."""
        instance = self.cloud.instance(instance_id)
        return instance is None or instance.status == "terminated"

    def note(self, node: str, instance: models.Instance) -> None:
        """An instance that another control node launched comes into this ledger; an accepted one into the keys."""
        self.remember(instance, node)
        name, address = host_keys.name_of(instance), self.address(instance)
        if instance.id in self.spec.accept_host_keys and address and not self.keys.public(name) and self.keys.accept(name, address):
            self.say(f"accepted the host key that {node} ({instance.id}) shows at {address}")

    def terminate(self, instance: models.Instance, why: str) -> None:
        """By exact id, from a list that was just read; told again when it still lives a while after."""
        now = self.clock.monotonic()
        if now - self.asked.get(instance.id, float("-inf")) < self.spec.resend_interval:
            return
        node = instance.tags.get(plan.NODE, "")
        again = "; this was accepted before and had no effect" if instance.id in self.asked else ""
        self.say(f"terminating {node} ({instance.id}){f', which is {why}' if why else ''}{again}")
        self.remember(instance, node)
        self.ledger.write("terminate", node=node, id=instance.id, why=why)
        try:
            self.cloud.terminate([instance.id])
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
                "adopted", node=node, id=instance.id, run=instance.tags.get(plan.RUN, ""), begin=plan.stamp(instance, plan.LAUNCHED),
                price_cents_per_hour=instance.price_cents_per_hour, instance_type=instance.instance_type, region=instance.region,
            )

    # -- how it stands

    def greet(self, instances: t.Iterable[models.Instance]) -> None:
        """Remember which of them answer on ssh; all are asked at once, for one that does not answer takes a while."""
        silent = {instance.id: self.address(instance) for instance in instances if instance.status == "active" and self.address(instance)}
        silent = {instance_id: address for instance_id, address in silent.items() if instance_id not in self.answered}
        if silent and self.spec.wait_for_ssh:
            with concurrent.futures.ThreadPoolExecutor(32) as pool:
                self.answered |= {instance_id for instance_id, answers in zip(silent, pool.map(answers_on_ssh, silent.values())) if answers}

    def is_ready(self, instance: models.Instance) -> bool:
        """Active, with an address, and greeted by its sshd."""
        return instance.status == "active" and bool(self.address(instance)) and (instance.id in self.answered or not self.spec.wait_for_ssh)

    def address(self, instance: models.Instance) -> str:
        """The address by which it is reached."""
        return instance.private_ip if self.spec.connect_with == "private" else instance.ip

    def pause(self, nodes: dict[str, models.Instance]) -> float:
        """Seconds until the next look: when a launch may go, and sooner while something boots."""
        if self.launcher is None or len(nodes) == self.spec.size:
            return self.spec.poll_interval
        boots = self.ledger.pending() or not all(self.is_ready(instance) for instance in nodes.values())
        return min(self.launcher.wait, self.spec.poll_interval) if boots else self.launcher.wait


def answers_on_ssh(address: str) -> bool:
    """Whether an sshd greets at this address."""
    try:
        with socket.create_connection((address, 22), timeout=5) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False
