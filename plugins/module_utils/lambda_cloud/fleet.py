# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Brings a fleet to what was declared, one launch at a time, and keeps what it has won."""

from __future__ import annotations

import dataclasses
import random
import socket
import time
import typing as t

from . import client, errors, hostkeys, ledger, models, plan


class FleetError(Exception):
    """Why the fleet is not what was declared, in one sentence, and what is running now."""


@dataclasses.dataclass(frozen=True)
class Declared:
    """What the user wants. Times are seconds."""

    name: str
    size: int
    instance_type: str = "gpu_1x_gh200"
    region: str = ""
    ssh_key: str = ""
    filesystems: tuple[str, ...] = ()
    image_family: str = "lambda-stack-22-04"
    connect_with: str = "public"
    deadline: float = 3600.0
    poll_interval: float = 5.0
    allow_shrink: bool = False
    wait_for_ssh: bool = True
    user_data: dict[str, t.Any] = dataclasses.field(default_factory=dict)


class Fleet:
    """One fleet of one account. `say` gets lines of progress."""

    def __init__(self, cloud: client.Client, declared: Declared, folder: str, say: t.Callable[[str], None]):
        self.cloud = cloud
        self.declared = declared
        self.ledger = ledger.Ledger(folder)
        self.keys = hostkeys.HostKeys(folder)
        self.say = say
        self.deadline = time.monotonic() + declared.deadline
        self.instances: list[models.Instance] = []

    # -- present

    def plan(self) -> plan.Plan:
        """Read the account once and compare."""
        self.instances = self.cloud.instances()
        try:
            made = plan.make(self.declared.name, self.declared.size, self.instances)
        except plan.PlanError as error:
            raise FleetError(str(error)) from error
        if made.surplus and not self.declared.allow_shrink:
            names = ", ".join(sorted(instance.tags.get(plan.NODE, instance.id) for instance in made.surplus))
            raise FleetError(
                f"Fleet {self.declared.name} has more nodes than the {self.declared.size} declared: {names}. "
                "Set allow_shrink to terminate these, or declare the larger size; nothing was changed."
            )
        for node, instance in made.adopt.items():
            if not self.keys.public(node):
                raise FleetError(
                    f"{node} ({instance.id}) carries this fleet's tag, but its ssh host key was not made here, so it cannot be verified. "
                    f"Run this where it was launched, or copy that state folder here, or terminate {instance.id}; nothing was changed."
                )
        if made.launch:
            self.check_order()
        return made

    def check_order(self) -> None:
        """Read what the launches need, before the first one."""
        wanted = self.declared
        offers = self.cloud.offers()
        if wanted.instance_type not in offers:
            raise FleetError(f"There is no instance type {wanted.instance_type}; Lambda offers {', '.join(sorted(offers))}. Nothing was launched.")
        keys = self.cloud.ssh_keys()
        if wanted.ssh_key not in keys:
            known = f"it has {', '.join(sorted(keys))}" if keys else "it has none"
            raise FleetError(f"The account has no ssh key named '{wanted.ssh_key}' ({known}): set ssh_key_name. Nothing was launched.")
        filesystems = self.cloud.filesystems()
        for name in wanted.filesystems:
            if name not in filesystems:
                known = f"it has {', '.join(sorted(filesystems))}" if filesystems else "it has none"
                raise FleetError(f"The account has no filesystem named {name} ({known}): create it in {wanted.region}, or correct the name. Nothing was launched.")
            if filesystems[name] != wanted.region:
                raise FleetError(
                    f"The filesystem {name} is in {filesystems[name]}, and a node in {wanted.region or 'no region'} cannot have it: set region to {filesystems[name]}. "
                    "Nothing was launched."
                )
        self.offer = offers[wanted.instance_type]

    def present(self, made: plan.Plan) -> dict[str, models.Instance]:
        """Carry the plan out; node to instance when all are there."""
        nodes = dict(made.adopt)
        for instance in made.replace + made.surplus:
            self.say(f"terminating {instance.tags.get(plan.NODE)} ({instance.id}), which is {'broken' if instance in made.replace else 'not wanted any more'}")
            self.terminate([instance])
        if made.launch:
            self.announce(made)
        try:
            for node in made.launch:
                nodes[node] = self.launch_until(node, len(nodes))
            return self.await_all(nodes)
        except (FleetError, errors.LambdaError) as error:
            raise FleetError(f"{error} {self.standing(nodes)}".strip()) from error

    def announce(self, made: plan.Plan) -> None:
        """What it will cost, before the first launch."""
        price = self.offer.price_cents_per_hour / 100
        adopted = f", {len(made.adopt)} are there already" if made.adopt else ""
        room = "" if self.declared.region in self.offer.regions else "; the catalogue shows no capacity there at the moment"
        self.say(
            f"launching {len(made.launch)} x {self.declared.instance_type} in {self.declared.region} at ${price:.2f}/h each{adopted}: "
            f"${price * self.declared.size:.2f}/h for the fleet{room}"
        )

    def launch_until(self, node: str, won: int) -> models.Instance:
        """Ask for one node until it is won, refused for good, or the deadline has passed."""
        refused = 0
        while True:
            run = f"{int(time.time())}-{random.getrandbits(32):08x}"
            try:
                return self.launch(node, run)
            except errors.LambdaError as error:
                if error.is_ambiguous:
                    found = self.look_for(node, run)
                    if found:
                        return found
                elif error.kind not in ("capacity", "rate"):
                    self.ledger.write("refused", node=node, run=run, code=error.code or error.kind)
                    raise
                refused += 1
                self.ledger.write("refused", node=node, run=run, code=error.code or error.kind)
                if time.monotonic() > self.deadline:
                    raise FleetError(f"{node} was not won within {self.declared.deadline:.0f} s, after {refused} refusals. The last one: {error}") from error
                self.say(f"won {won} of {self.declared.size}; {node} refused {refused} times ({error.code or error.kind}), trying on")
                time.sleep(min(self.declared.poll_interval * random.uniform(1, 1.5), max(0.0, self.deadline - time.monotonic())))

    def launch(self, node: str, run: str) -> models.Instance:
        """One launch, in the ledger before and after."""
        self.keys.make(node)
        tags = {plan.CLUSTER: self.declared.name, plan.NODE: node, plan.RUN: run, plan.LAUNCHED: str(int(time.time()))}
        order = models.Launch(
            node, self.declared.instance_type, self.declared.region, self.declared.ssh_key, self.declared.filesystems,
            self.declared.image_family, self.keys.user_data(node, self.declared.user_data), tags,
        )
        self.ledger.write("intend", node=node, run=run, instance_type=order.instance_type, region=order.region)
        instance_id = self.cloud.launch(order)
        self.ledger.write("launched", node=node, run=run, id=instance_id, price_cents_per_hour=self.offer.price_cents_per_hour)
        self.say(f"launched {node} ({instance_id})")
        return models.Instance(instance_id, node, "booting", "", "", "", order.region, order.instance_type, "", 0, 0, (), (), tags)

    def look_for(self, node: str, run: str) -> models.Instance | None:
        """After a launch of unknown fate: is it there? The list may lag behind, so it is read more than once."""
        self.say(f"the launch of {node} had no clear answer; looking for it before anything else")
        for pause in (0, 1, 3):
            time.sleep(pause * self.cloud.http.gate.intervals["request"])
            for instance in self.cloud.instances():
                if instance.tags.get(plan.RUN) == run and instance.tags.get(plan.NODE) == node:
                    self.ledger.write("launched", node=node, run=run, id=instance.id)
                    return instance
        return None

    def await_all(self, nodes: dict[str, models.Instance]) -> dict[str, models.Instance]:
        """Until every node is active and its sshd answers; addresses come with that."""
        ids = {node: instance.id for node, instance in nodes.items()}
        answered: set[str] = set()
        shown = ""
        while True:
            listed = {instance.id: instance for instance in self.cloud.instances()}
            now = {node: listed.get(instance_id) for node, instance_id in ids.items()}
            for node, instance in now.items():
                self.require_sound(node, ids[node], instance)
            answered = {node for node, instance in now.items() if node in answered or self.is_ready(instance)}
            if len(answered) == len(ids):
                self.keys.write_known_hosts({node: (instance.ip, instance.private_ip, node) for node, instance in now.items()})
                return now
            if time.monotonic() > self.deadline:
                late = ", ".join(f"{node} ({now[node].status}, {now[node].ip or 'no address'})" for node in ids if node not in answered)
                raise FleetError(f"After {self.declared.deadline:.0f} s these nodes do not answer on ssh: {late}.")
            text = f"{len(answered)} of {len(ids)} nodes answer on ssh"
            if text != shown:
                self.say(text)
                shown = text
            time.sleep(self.declared.poll_interval)

    def require_sound(self, node: str, instance_id: str, instance: models.Instance | None) -> None:
        """A node that vanished or broke while we waited ends the wait; the next run replaces it."""
        if instance is None or instance.is_gone:
            raise FleetError(f"{node} ({instance_id}) is gone, and not by us. Run this again to replace it.")
        if instance.status in models.BROKEN:
            raise FleetError(f"{node} ({instance_id}) is {instance.status}. Run this again to replace it.")

    def is_ready(self, instance: models.Instance) -> bool:
        """Active, and greeted by its sshd."""
        if instance.status != "active":
            return False
        if not self.declared.wait_for_ssh:
            return True
        host = instance.private_ip if self.declared.connect_with == "private" else instance.ip
        if not host:
            return False
        try:
            with socket.create_connection((host, 22), timeout=5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False

    def standing(self, nodes: dict[str, models.Instance]) -> str:
        """What is paid for at this moment."""
        if not nodes:
            return "Nothing was launched."
        return f"Running and paid for: {', '.join(f'{node} ({instance.id})' for node, instance in sorted(nodes.items()))}; run this again to go on, or teardown to end them."

    # -- absent

    def members(self) -> list[models.Instance]:
        """What carries the fleet's tag and is not gone."""
        self.instances = self.cloud.instances()
        return plan.members(self.declared.name, self.instances)

    def absent(self, found: list[models.Instance]) -> None:
        """Terminate these and wait until the API shows none of the fleet."""
        if found:
            self.terminate(found)
        asked = time.monotonic()
        while left := self.unfinished():
            alive = [instance for instance in left if not instance.is_gone]
            if time.monotonic() > self.deadline:
                raise FleetError(
                    f"After {self.declared.deadline:.0f} s these are still there and may be paid for: "
                    f"{', '.join(f'{instance.tags.get(plan.NODE)} ({instance.id}, {instance.status})' for instance in left)}. Run teardown again, then look at the website."
                )
            if alive and time.monotonic() - asked > 60:
                self.say(f"{len(alive)} instances are still alive a minute after they were told to end; telling them again")
                self.terminate(alive)
                asked = time.monotonic()
            self.say(f"waiting for {len(left)} instances to be gone")
            time.sleep(self.declared.poll_interval)
        self.keys.forget(instance.tags.get(plan.NODE, "") for instance in found)

    def unfinished(self) -> list[models.Instance]:
        """The fleet's instances that are alive or on their way out."""
        return [instance for instance in self.cloud.instances() if instance.tags.get(plan.CLUSTER) == self.declared.name and instance.status != "terminated"]

    def terminate(self, instances: list[models.Instance]) -> None:
        """By exact id, from a list that was just read; one that is gone meanwhile is what we want."""
        for instance in instances:
            self.ledger.write("terminate", node=instance.tags.get(plan.NODE), id=instance.id)
            try:
                self.cloud.terminate([instance.id])
            except errors.LambdaError as error:
                if error.kind != "not-found":
                    raise
