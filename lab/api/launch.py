# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a launch is possible, and with what."""

from __future__ import annotations

import random
from dataclasses import dataclass

from . import bodies, catalogue
from .config import ApiConfig
from .errors import CAPACITY, LAUNCH, ApiError
from .lifecycle import GONE
from .store import Store


@dataclass
class Grant:
    """What a launch that is granted uses. `mounts` are pairs of a filesystem and where it is mounted."""

    public_key: str
    mounts: list[tuple[dict, str]]
    rulesets: list[str]


def granted(body: bodies.Launch, store: Store, config: ApiConfig, luck: random.Random) -> Grant:
    """Raises the refusal of a launch; what is wrong with the request comes before what is short."""
    if body.quantity > 1:
        raise ApiError("global/invalid-parameters", "Requested too many instances.")
    if body.region_name not in catalogue.REGIONS:
        raise ApiError("global/invalid-parameters", f"Region {body.region_name} does not exist.")
    if body.instance_type_name not in catalogue.names():
        raise missing("instance type")
    keys = [key for key in store.ssh_keys.values() if key["name"] == body.ssh_key_names[0]]
    if not keys:
        raise missing("SSH key")
    check_image(body, config.families)
    grant = Grant(keys[0]["public_key"], mounts(body, store), rulesets(body, store))
    if config.invalid_address:
        raise ApiError("global/invalid-address")
    if sum(instance.status not in GONE for instance in store.instances.values()) >= config.quota:
        raise ApiError("global/quota-exceeded")
    if not is_free(body.instance_type_name, body.region_name, store, config) or luck.random() < config.miss_rate:
        raise ApiError(CAPACITY)
    return grant


def missing(what: str, status: int = 400) -> ApiError:
    """What is named wrongly is a bad request; an id that nothing has is not found. Both are documented."""
    return ApiError("global/object-does-not-exist", f"Specified {what} does not exist.", status)


def check_image(body: bodies.Launch, families: list[str]) -> None:
    """An image must be there for the type's architecture, and in the region; `families` are there everywhere."""
    if body.image is None or body.image.family in families:
        return
    architecture = catalogue.architecture(body.instance_type_name)
    here = [
        image
        for image in catalogue.images()
        if image["architecture"] == architecture and image["region"]["name"] == body.region_name
    ]
    if (
        body.image.id not in [image["id"] for image in here]
        if body.image.id
        else body.image.family not in [image["family"] for image in here]
    ):
        raise missing("image")


def mounts(body: bodies.Launch, store: Store) -> list[tuple[dict, str]]:
    """Filesystems by name at their usual place, and by id where the request says; the latter wins."""
    by_name = {item["name"]: item for item in store.filesystems.values()}
    found: dict[str, tuple[dict, str]] = {}
    for name in body.file_system_names:
        if name not in by_name:
            raise missing("filesystem")
        found[by_name[name]["id"]] = by_name[name], by_name[name]["mount_point"]
    for entry in body.file_system_mounts:
        if entry.file_system_id not in store.filesystems:
            raise missing("filesystem", 404)
        found[entry.file_system_id] = store.filesystems[entry.file_system_id], entry.mount_point
    if any(item["region"]["name"] != body.region_name for item, _ in found.values()):
        raise ApiError(LAUNCH + "file-system-in-wrong-region")
    return list(found.values())


def rulesets(body: bodies.Launch, store: Store) -> list[str]:
    """Ids of firewall rulesets, all in the region of the instance."""
    ids = [entry.id for entry in body.firewall_rulesets]
    for ruleset_id in ids:
        if ruleset_id not in store.firewall_rulesets:
            raise missing("firewall ruleset", 404)
        if store.firewall_rulesets[ruleset_id]["region"]["name"] != body.region_name:
            raise ApiError("global/invalid-parameters", "The firewall ruleset is in another region than the instance.")
    return ids


def is_free(instance_type: str, region: str, store: Store, config: ApiConfig) -> bool:
    """Whether a machine is there. One that is being terminated is not free yet."""
    places = config.capacity.get(instance_type, [])
    if not isinstance(places, dict):
        return region in places
    taken = sum(
        instance.instance_type["name"] == instance_type
        and instance.region["name"] == region
        and instance.status != "terminated"
        for instance in store.instances.values()
    )
    return places.get(region, 0) > taken


def regions_with_capacity(instance_type: str, store: Store, config: ApiConfig) -> list[dict]:
    """Region objects, for the catalogue."""
    return [
        catalogue.region(place)
        for place in config.capacity.get(instance_type, [])
        if is_free(instance_type, place, store, config)
    ]
