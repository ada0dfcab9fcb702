# SPDX-License-Identifier: GPL-3.0-or-later
"""Filesystems of the account, and which of them instances use."""

from __future__ import annotations

from .. import bodies, catalogue, filesystem
from ..bills import FilesystemBill
from ..errors import ApiError
from ..store import Object
from ..world import World


class Filesystems:
    """The account's filesystems."""

    def __init__(self, world: World):
        self.world = world

    def listed(self) -> list[Object]:
        """With `is_in_use` as the instances have it, or had it a moment ago."""
        with self.world.turn() as now:
            store = self.world.store
            used = {
                item
                for instance in store.instances.values()
                if instance.status != "terminated"
                for item in instance.mounted
            }
            used |= {item for item, moment in store.releases.items() if now < moment}
            return [item | {"is_in_use": item["id"] in used} for item in store.filesystems.values()]

    def create(self, body: bodies.Filesystem) -> Object:
        """Create one, empty. A name is taken in the whole account: launches name it without a region."""
        with self.world.turn() as now:
            store, config = self.world.store, self.world.config
            if body.region not in catalogue.REGIONS:
                raise ApiError("global/invalid-parameters", f"Region {body.region} does not exist.")
            if body.name in {item["name"] for item in store.filesystems.values()}:
                raise ApiError("global/duplicate", f"A filesystem named {body.name} exists already.")
            if config.invalid_address:
                raise ApiError("global/invalid-address")
            if len(store.filesystems) >= config.filesystem_quota:
                raise ApiError("global/quota-exceeded")
            item = filesystem.new(body.name, body.region, now)
            store.filesystems[item["id"]] = item
            store.created[item["id"]] = now
            store.bills[item["id"]] = filesystem.new_bill(item, now)
            self.world.noted("filesystem", "created", [item["id"]], region=body.region)
            return item

    def delete(self, filesystem_id: str) -> Object:
        """Delete one that no instance uses."""
        with self.world.turn() as now:
            found = [item for item in self.listed() if item["id"] == filesystem_id]
            if not found:
                raise ApiError("global/object-does-not-exist", "Filesystem was not found.")
            if found[0]["is_in_use"]:
                raise ApiError("filesystems/filesystem-in-use")
            del self.world.store.filesystems[filesystem_id]
            self._bill(filesystem_id).close(now)
            self.world.noted("filesystem", "deleted", [filesystem_id])
            return {"deleted_ids": [filesystem_id]}

    def fill(self, sizes: dict[str, int]) -> None:
        """So many bytes are in filesystems, by name. KeyError for an unknown name, before anything is changed."""
        with self.world.turn() as now:
            by_name = {item["name"]: item for item in self.world.store.filesystems.values()}
            for name in sizes:
                if name not in by_name:
                    raise KeyError(f"There is no filesystem {name}.")
            for name, size in sizes.items():
                by_name[name]["bytes_used"] = size
                self._bill(by_name[name]["id"]).filled(size, now)
            self.world.save()

    def _bill(self, filesystem_id: str) -> FilesystemBill:
        bill = self.world.store.bills[filesystem_id]
        if not isinstance(bill, FilesystemBill):
            raise TypeError(f"{filesystem_id} is not billed as a filesystem.")
        return bill
