# SPDX-License-Identifier: GPL-3.0-or-later
"""Filesystems of the account: made, shown (by the cloud, which knows who uses them) and deleted."""

from __future__ import annotations

from . import audit, catalogue, requests
from .cloud import Cloud
from .errors import ApiError
from .store import filesystem


def add(cloud: Cloud, body: requests.Filesystem) -> dict:
    """Create one, empty. A name is taken in the whole account: launches name it without a region."""
    with cloud.lock:
        store, now = cloud.store, cloud.clock.now()
        if body.region not in catalogue.REGIONS:
            raise ApiError("global/invalid-parameters", f"Region {body.region} does not exist.")
        if body.name in {item["name"] for item in store.filesystems.values()}:
            raise ApiError("global/duplicate", f"A filesystem named {body.name} exists already.")
        if cloud.config.invalid_address:
            raise ApiError("global/invalid-address")
        if len(store.filesystems) >= cloud.config.filesystem_quota:
            raise ApiError("global/quota-exceeded")
        item = filesystem(body.name, body.region, now)
        store.filesystems[item["id"]] = item
        store.created[item["id"]] = now
        cloud.billing.created(item, now)
        audit.note(store, now, "filesystem", "created", [item["id"]], region=body.region)
        store.save()
        return item


def delete(cloud: Cloud, filesystem_id: str) -> dict:
    """Delete one that no instance uses."""
    with cloud.lock:
        found = [item for item in cloud.filesystems() if item["id"] == filesystem_id]
        if not found:
            raise ApiError("global/object-does-not-exist", "Filesystem was not found.")
        if found[0]["is_in_use"]:
            raise ApiError("filesystems/filesystem-in-use")
        del cloud.store.filesystems[filesystem_id]
        cloud.billing.end(filesystem_id, cloud.clock.now())
        audit.note(cloud.store, cloud.clock.now(), "filesystem", "deleted", [filesystem_id])
        cloud.store.save()
        return {"deleted_ids": [filesystem_id]}
