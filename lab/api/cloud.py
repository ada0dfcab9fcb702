# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cloud does: launch, boot, restart, terminate."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from ..errors import LabError
from ..nodes.driver import NodeSpec
from . import catalogue, requests
from .config import ApiConfig
from .errors import LAUNCH, ApiError
from .store import Store, new_id

ACTIONS = ("migrate", "rebuild", "restart", "cold_reboot", "terminate")
GONE = ("terminating", "terminated")


class Cloud:
    """One account. Every public method sees the clock's work done first."""

    def __init__(self, config: ApiConfig, driver):
        self.config = config
        self.driver = driver
        self.store = Store(config)
        self.lock = threading.RLock()

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
            filesystems = self._check(body)
            instance_id = new_id()
            mounts = {self._folder(item): item["mount_point"] for item in filesystems}
            key = next(key for key in self.store.ssh_keys.values() if key["name"] == body.ssh_key_names[0])
            spec = NodeSpec(instance_id, body.hostname or f"ip-{instance_id[:8]}", [key["public_key"]], body.user_data or "", mounts)
            try:
                node = self.driver.create(spec)
            except LabError as error:
                self.driver.destroy(instance_id)
                raise ApiError("global/internal-error", str(error)) from error
            self.store.instances[instance_id] = {
                "id": instance_id, "name": body.name, "ip": node.ip, "private_ip": node.private_ip, "status": "booting",
                "hostname": spec.hostname, "ssh_key_names": body.ssh_key_names, "file_system_names": [item["name"] for item in filesystems],
                "file_system_mounts": [{"file_system_id": item["id"], "mount_point": item["mount_point"]} for item in filesystems],
                "region": catalogue.region(body.region_name), "instance_type": catalogue.instance_type(body.instance_type_name),
                "jupyter_token": "jupyter-secret", "jupyter_url": f"https://jupyter-{instance_id[:8]}.example.com/?token=jupyter-secret",
                "tags": [tag.model_dump() for tag in body.tags],
            }
            self.store.times[instance_id] = {"launched": time.time()}
            self.store.save()
            return [instance_id]

    def terminate(self, instance_ids: list[str]) -> list[dict]:
        """The nodes go at once; the instances are shown as terminating for a while."""
        with self.lock:
            self.tick()
            found = [self._get(instance_id) for instance_id in instance_ids]
            for instance in found:
                if instance["status"] not in GONE:
                    self.driver.destroy(instance["id"])
                    instance["status"] = "terminating"
                    self.store.times[instance["id"]]["ended"] = time.time()
            self.store.save()
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
            return [self.shown(instance) for instance in found]

    def rename(self, instance_id: str, name: str | None) -> dict:
        """Change the name; nothing else can be changed."""
        with self.lock:
            instance = self._get(instance_id)
            instance["name"] = name
            self.store.save()
            return self.shown(instance)

    def tick(self) -> None:
        """Bring every instance to where the clock and its node are."""
        now = time.time()
        for instance in list(self.store.instances.values()):
            before, times = instance["status"], self.store.times[instance["id"]]
            instance["status"] = self._status(instance, times, now)
            if instance["status"] != before:
                times.setdefault(instance["status"], now)
                self.store.save()
            if instance["status"] == "terminated" and now - times["ended"] >= self.config.terminate_seconds + self.config.retention_seconds:
                del self.store.instances[instance["id"]]
                self.store.save()

    def _status(self, instance: dict, times: dict, now: float) -> str:
        status = instance["status"]
        if status == "terminating" and now - times["ended"] >= self.config.terminate_seconds:
            return "terminated"
        if status in GONE:
            return status
        node = self.driver.status(instance["id"])
        if node == "gone":
            return "unhealthy"  # powered off from inside, or died: it is still paid for
        if status == "booting" and node == "running" and now - times["launched"] >= self.config.boot_seconds:
            return "active"
        return "active" if status == "unhealthy" and node == "running" else status

    def shown(self, instance: dict) -> dict:
        """The object as the API gives it: fields that do not apply are absent."""
        waiting = time.time() - self.store.times[instance["id"]]["launched"] < self.config.address_seconds
        hidden = {"ip", "private_ip", "hostname", "jupyter_token", "jupyter_url"} if waiting or instance["status"] in GONE else set()
        result = {name: value for name, value in instance.items() if name not in hidden and value not in (None, []) or name in ("file_system_names", "ssh_key_names")}
        usable = instance["status"] == "active"
        result["actions"] = {
            action: {"available": True} if usable or (action == "terminate" and instance["status"] not in GONE)
            else {"available": False, "reason_code": "vm-is-terminating" if instance["status"] in GONE else "vm-has-not-launched"}
            for action in ACTIONS
        }
        return result

    def types(self) -> dict:
        """The catalogue with where there is capacity."""
        return {
            name: {
                "instance_type": catalogue.instance_type(name),
                "regions_with_capacity_available": [catalogue.region(place) for place in self.config.capacity.get(name, [])],
            }
            for name in catalogue.names()
        }

    def filesystems(self) -> list[dict]:
        """With `is_in_use` as the instances have it."""
        with self.lock:
            self.tick()
            used = {name for instance in self.store.instances.values() if instance["status"] != "terminated" for name in instance["file_system_names"]}
            return [item | {"is_in_use": item["name"] in used} for item in self.store.filesystems.values()]

    def _check(self, body: requests.Launch) -> list[dict]:
        """The refusals of a launch, in the order in which the real API seems to look."""
        if body.region_name not in catalogue.REGIONS:
            raise ApiError("global/invalid-parameters", f"Region {body.region_name} does not exist.")
        if body.instance_type_name not in catalogue.names():
            raise ApiError("global/object-does-not-exist", "Specified instance type does not exist.", 400)
        if body.ssh_key_names[0] not in {key["name"] for key in self.store.ssh_keys.values()}:
            raise ApiError("global/object-does-not-exist", "Specified SSH key does not exist.", 400)
        if body.image and body.image.family and body.image.family not in catalogue.FAMILIES:
            raise ApiError("global/object-does-not-exist", "Specified image does not exist.", 400)
        filesystems = []
        for name in body.file_system_names:
            found = [item for item in self.store.filesystems.values() if item["name"] == name]
            if not found:
                raise ApiError("global/object-does-not-exist", "Specified filesystem does not exist.", 400)
            if found[0]["region"]["name"] != body.region_name:
                raise ApiError(LAUNCH + "file-system-in-wrong-region")
            filesystems.append(found[0])
        alive = [instance for instance in self.store.instances.values() if instance["status"] not in GONE]
        if len(alive) >= self.config.quota:
            raise ApiError("global/quota-exceeded")
        if body.region_name not in self.config.capacity.get(body.instance_type_name, []):
            raise ApiError(LAUNCH + "insufficient-capacity")
        return filesystems

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
            raise ApiError("global/object-does-not-exist", "Specified instance does not exist.") from None
