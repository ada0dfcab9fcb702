# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cloud does with instances when it is asked to: launch, rename, restart, terminate."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import LabError
from ..nodes.driver import NodeSpec
from . import audit, catalogue, launch, requests
from .errors import ApiError
from .lifecycle import GONE
from .store import new_id
from .world import World, mounted


class Cloud(World):
    """One account. Every public method sees the clock's work done first."""

    def instances(self) -> list[dict]:
        """All instances that are still shown."""
        with self.lock:
            self.tick()
            return [self.shown(instance) for instance in self.store.instances.values()]

    def instance(self, instance_id: str) -> dict:
        """One of them."""
        with self.lock:
            self.tick()
            return self.shown(self._get(instance_id))

    def launch(self, body: requests.Launch) -> list[str]:
        """Start one instance; its id is known before it has booted."""
        with self.lock:
            self.tick()
            order = launch.granted(body, self.store, self.config, self.luck)
            instance_id, now = new_id(), self.clock.now()
            fates = [{"kind": fate.kind, "at": now + fate.after} for fate in self.faults.draw()]
            # The machine of an instance whose filesystem is late has none: nodes mount when they start.
            mounts = {} if any(fate["kind"] == "late-filesystem" for fate in fates) else {self._folder(item): place for item, place in order.mounts}
            family = body.image.family if body.image else ""
            spec = NodeSpec(instance_id, body.hostname or f"ip-{instance_id[:8]}", [order.public_key], body.user_data, mounts, family)
            try:
                node = self.driver.create(spec)
            except LabError as error:
                self.driver.destroy(instance_id)
                raise ApiError("global/internal-error", str(error)) from error
            instance = {
                "id": instance_id, "name": body.name, "ip": node.ip, "private_ip": None if body.region_name == "us-south-1" else node.private_ip,
                "status": "booting", "hostname": body.hostname or node.ip.replace(".", "-"), "ssh_key_names": body.ssh_key_names,
                "file_system_names": [item["name"] for item, _ in order.mounts],
                "file_system_mounts": [{"file_system_id": item["id"], "mount_point": place} for item, place in order.mounts],
                "region": catalogue.region(body.region_name), "instance_type": catalogue.instance_type(body.instance_type_name, self.config.prices),
                "jupyter_token": "jupyter-secret", "jupyter_url": f"https://jupyter-{instance_id[:8]}.example.com/?token=jupyter-secret",
                "tags": [tag.model_dump() for tag in body.tags], "firewall_rulesets": [{"id": ruleset} for ruleset in order.rulesets],
            }
            self.store.instances[instance_id] = instance
            self.store.times[instance_id] = {"launched": now, "fates": fates}
            self.store.created[instance_id] = now
            self.billing.launched(instance, now)
            self._noted("launched", [instance_id], instance_type=body.instance_type_name, region=body.region_name)
            return [instance_id]

    def terminate(self, instance_ids: list[str]) -> list[dict]:
        """The nodes go at once; the instances are shown as terminating for a while. One unknown id, and nothing is done."""
        with self.lock:
            self.tick()
            found = [self._get(instance_id) for instance_id in dict.fromkeys(instance_ids)]
            ending = [instance for instance in found if instance["status"] not in GONE]
            for instance in ending:
                self.driver.destroy(instance["id"])
                instance["status"] = "terminating"
                self.store.times[instance["id"]]["ended"] = self.clock.now()
                self.billing.end(instance["id"], self.clock.now())
            if ending:
                self._noted("terminated", [instance["id"] for instance in ending])
            return [self.shown(instance) for instance in found]

    def restart(self, instance_ids: list[str]) -> list[dict]:
        """Reboot the nodes."""
        with self.lock:
            self.tick()
            found = [self._get(instance_id) for instance_id in instance_ids]
            if any(instance["status"] != "active" for instance in found):
                raise ApiError("global/conflict")
            for instance in found:
                self.driver.reboot(instance["id"])
            self._noted("restarted", instance_ids)
            return [self.shown(instance) for instance in found]

    def rename(self, instance_id: str, name: str | None) -> dict:
        """Change the name, unless None; nothing else can be changed."""
        with self.lock:
            self.tick()
            instance = self._get(instance_id)
            if name is not None:
                instance["name"] = name
                self._noted("updated", [instance_id])
            return self.shown(instance)

    def types(self, shape: str = "") -> dict:
        """The catalogue with where there is capacity, or says so: `everywhere` or `nowhere`."""
        with self.lock:
            self.tick()
            lies = {"everywhere": [catalogue.region(place) for place in catalogue.REGIONS], "nowhere": []}
            return {
                name: {
                    "instance_type": catalogue.instance_type(name, self.config.prices),
                    "regions_with_capacity_available": lies[shape] if shape in lies else launch.regions_with_capacity(name, self.store, self.config),
                }
                for name in catalogue.names()
            }

    def filesystems(self) -> list[dict]:
        """With `is_in_use` as the instances have it, or had it a moment ago."""
        with self.lock:
            self.tick()
            used = {filesystem_id for instance in self.store.instances.values() if instance["status"] != "terminated" for filesystem_id in mounted(instance)}
            used |= {filesystem_id for filesystem_id, moment in self.store.releases.items() if self.clock.now() < moment}
            return [item | {"is_in_use": item["id"] in used} for item in self.store.filesystems.values()]

    # -- inside

    def _noted(self, action: str, ids: list[str], **details: str) -> None:
        audit.note(self.store, self.clock.now(), "instance", action, ids, **details)
        self.store.save()

    def _folder(self, item: dict) -> str:
        """The filesystem's content on this machine; it belongs to the nodes' user."""
        folder = Path(self.config.share or "/nonexistent") / item["name"]
        if self.config.share and not folder.exists():
            folder.mkdir(parents=True)
            os.chown(folder, 1000, 1000)
        return str(folder)

    def _get(self, instance_id: str) -> dict:
        try:
            return self.store.instances[instance_id]
        except KeyError:
            raise launch.missing("instance", 404) from None
