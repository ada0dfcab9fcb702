# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances: what the cloud does with them when it is asked to."""

from __future__ import annotations

import os
from pathlib import Path

from ...errors import LabError
from ...nodes.node import NodeSpec
from .. import bodies, catalogue, launch, lifecycle
from ..drivers import Machine
from ..errors import ApiError
from ..instance import Doom, Instance, Times, new_bill
from ..lifecycle import GONE
from ..store import Object, new_id
from ..world import World


class Instances:
    """The account's instances."""

    def __init__(self, world: World):
        self.world = world

    def listed(self) -> list[Object]:
        """All that are still shown."""
        with self.world.turn():
            return [self._shown(instance) for instance in self.world.store.instances.values()]

    def get(self, instance_id: str) -> Object:
        """One of them."""
        with self.world.turn():
            return self._shown(self._found(instance_id))

    def create(self, body: bodies.Launch) -> list[str]:
        """Start one instance; its id is known before it has booted."""
        with self.world.turn() as now:
            world = self.world
            grant = launch.granted(body, world.store, world.config, world.luck)
            times = Times(now, fates=[Doom(fate.kind, now + fate.after) for fate in world.faults.draw()])
            instance_id = new_id()
            made = self._new(instance_id, body, grant, times, self._machine(instance_id, body, grant, times))
            world.store.instances[instance_id] = made
            world.billing.launched(made)
            world.noted(
                "instance", "launched", [instance_id], instance_type=body.instance_type_name, region=body.region_name
            )
            return [instance_id]

    def change(self, instance_id: str, body: bodies.Rename) -> Object:
        """Its name, if one is given; nothing else can be changed."""
        with self.world.turn():
            instance = self._found(instance_id)
            if body.name is not None:
                instance.name = body.name
                self.world.noted("instance", "updated", [instance_id])
            return self._shown(instance)

    def delete(self, instance_ids: list[str]) -> list[Object]:
        """The nodes go at once; they are shown as terminating for a while. One unknown id, and nothing is done."""
        with self.world.turn() as now:
            found = [self._found(instance_id) for instance_id in dict.fromkeys(instance_ids)]
            ending = [instance for instance in found if instance.status not in GONE]
            for instance in ending:
                self.world.driver.destroy(instance.id)
                instance.status = "terminating"
                instance.times.ended = now
                self.world.billing.end(instance, now)
            if ending:
                self.world.noted("instance", "terminated", [instance.id for instance in ending])
            return [self._shown(instance) for instance in found]

    def restart(self, instance_ids: list[str]) -> list[Object]:
        """Reboot the nodes."""
        with self.world.turn():
            found = [self._found(instance_id) for instance_id in instance_ids]
            if any(instance.status != "active" for instance in found):
                raise ApiError("global/conflict")
            for instance in found:
                self.world.driver.reboot(instance.id)
            self.world.noted("instance", "restarted", instance_ids)
            return [self._shown(instance) for instance in found]

    # -- inside

    def _machine(self, instance_id: str, body: bodies.Launch, grant: launch.Grant, times: Times) -> Machine:
        """Start a node, or leave nothing of it."""
        # The machine of an instance whose filesystem is late has none: nodes mount when they start.
        is_late = any(fate.kind == "late-filesystem" for fate in times.fates)
        mounts = {} if is_late else {self._folder(item): place for item, place in grant.mounts}
        family = body.image.family if body.image else ""
        spec = NodeSpec(
            instance_id, body.hostname or f"ip-{instance_id[:8]}", [grant.public_key], body.user_data, mounts, family
        )
        try:
            return self.world.driver.create(spec)
        except LabError as error:
            self.world.driver.destroy(instance_id)
            raise ApiError("global/internal-error", str(error)) from error

    def _new(self, instance_id: str, body: bodies.Launch, grant: launch.Grant, times: Times, node: Machine) -> Instance:
        """With all fields that there may be."""
        region, tags = catalogue.region(body.region_name), [tag.model_dump() for tag in body.tags]
        instance_type = catalogue.instance_type(body.instance_type_name, self.world.config.prices)
        return Instance(
            id=instance_id,
            name=body.name,
            ip=node.ip,
            private_ip=None if body.region_name == "us-south-1" else node.private_ip,
            hostname=body.hostname or node.ip.replace(".", "-"),
            ssh_key_names=body.ssh_key_names,
            file_system_names=[item["name"] for item, _ in grant.mounts],
            file_system_mounts=[{"file_system_id": item["id"], "mount_point": place} for item, place in grant.mounts],
            region=region,
            instance_type=instance_type,
            tags=tags,
            firewall_rulesets=[{"id": ruleset} for ruleset in grant.rulesets],
            jupyter_token="jupyter-secret",
            jupyter_url=f"https://jupyter-{instance_id[:8]}.example.com/?token=jupyter-secret",
            times=times,
            bill=new_bill(body.name, region, instance_type, tags),
        )

    def _folder(self, item: Object) -> str:
        """The filesystem's content on this machine; it belongs to the nodes' user."""
        share = self.world.config.share
        folder = Path(share or "/nonexistent") / item["name"]
        if share and not folder.exists():
            folder.mkdir(parents=True)
            os.chown(folder, 1000, 1000)
        return str(folder)

    def _shown(self, instance: Instance) -> Object:
        return lifecycle.shown(self.world.config, instance, self.world.clock.now())

    def _found(self, instance_id: str) -> Instance:
        try:
            return self.world.store.instances[instance_id]
        except KeyError:
            raise launch.missing("instance", 404) from None
