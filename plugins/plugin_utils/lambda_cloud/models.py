# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Objects of the API. This file alone knows its field names."""

from __future__ import annotations

import dataclasses
import ipaddress
import typing as t

# A status that we do not know counts as alive and paid for.
GONE = ("terminated", "terminating")
BROKEN = ("unhealthy", "preempted")
# The rate in Lambda's documentation; no call of the API tells it.
DOLLARS_PER_GIB_MONTH = 0.20


@dataclasses.dataclass(frozen=True)
class Instance:
    """An instance. Addresses are valid ones or empty; Jupyter's secrets are dropped here."""

    id: str
    name: str
    status: str
    ip: str
    private_ip: str
    hostname: str
    region: str
    instance_type: str
    architecture: str
    price_cents_per_hour: int
    gpus: int
    ssh_keys: tuple[str, ...]
    filesystems: tuple[str, ...]
    tags: dict[str, str]

    @classmethod
    def parse(cls, raw: dict[str, t.Any]) -> Instance:
        """From the API's object; fields that are absent are empty."""
        kind = raw.get("instance_type") or {}
        return cls(
            id=str(raw["id"]),
            name=raw.get("name") or "",
            status=raw.get("status") or "unknown",
            ip=address(raw.get("ip")),
            private_ip=address(raw.get("private_ip")),
            hostname=raw.get("hostname") or "",
            region=(raw.get("region") or {}).get("name") or "",
            instance_type=kind.get("name") or "",
            architecture=kind.get("architecture") or "",
            price_cents_per_hour=int(kind.get("price_cents_per_hour") or 0),
            gpus=int((kind.get("specs") or {}).get("gpus") or 0),
            ssh_keys=tuple(raw.get("ssh_key_names") or ()),
            filesystems=tuple(raw.get("file_system_names") or ()),
            tags={tag["key"]: tag.get("value") or "" for tag in raw.get("tags") or () if "key" in tag},
        )

    @property
    def is_gone(self) -> bool:
        """Whether it is terminated, or on its way there."""
        return self.status in GONE


@dataclasses.dataclass(frozen=True)
class Offer:
    """An instance type with its price and where there is capacity at this moment."""

    name: str
    description: str
    price_cents_per_hour: int
    regions: tuple[str, ...]
    gpu_description: str = ""
    architecture: str = ""
    vcpus: int = 0
    memory_gib: int = 0
    storage_gib: int = 0
    gpus: int = 0


def offers(raw: dict[str, t.Any]) -> dict[str, Offer]:
    """The catalogue by name."""
    found = {}
    for name, item in raw.items():
        kind = item["instance_type"]
        regions = tuple(region["name"] for region in item.get("regions_with_capacity_available") or ())
        specs = {
            key: int((kind.get("specs") or {}).get(key) or 0) for key in ("vcpus", "memory_gib", "storage_gib", "gpus")
        }
        found[name] = Offer(
            name,
            kind.get("description") or "",
            int(kind["price_cents_per_hour"]),
            regions,
            kind.get("gpu_description") or "",
            kind.get("architecture") or "",
            **specs,
        )
    return found


@dataclasses.dataclass(frozen=True)
class Launch:
    """All that one launch asks for."""

    name: str
    instance_type: str
    region: str
    ssh_key: str
    filesystems: tuple[str, ...]
    image_family: str
    user_data: str
    tags: dict[str, str]
    firewall_rulesets: tuple[str, ...] = ()

    def body(self) -> dict[str, t.Any]:
        """The request: exactly one key, one instance."""
        request: dict[str, t.Any] = {
            "region_name": self.region,
            "instance_type_name": self.instance_type,
            "ssh_key_names": [self.ssh_key],
            "file_system_names": list(self.filesystems),
            "name": self.name,
            "hostname": self.name,
            "user_data": self.user_data,
            "tags": [{"key": key, "value": value} for key, value in self.tags.items()],
        }
        if self.image_family:
            request["image"] = {"family": self.image_family}
        if self.firewall_rulesets:
            request["firewall_rulesets"] = [{"id": ruleset} for ruleset in self.firewall_rulesets]
        return request


@dataclasses.dataclass(frozen=True)
class SshKey:
    """A public key that the account has."""

    id: str
    name: str
    public_key: str

    @classmethod
    def parse(cls, raw: dict[str, t.Any]) -> SshKey:
        """From the API's object. A private half in it is not read."""
        return cls(str(raw["id"]), raw.get("name") or "", (raw.get("public_key") or "").strip())


@dataclasses.dataclass(frozen=True)
class Filesystem:
    """A shared filesystem. `bytes_used` is the API's estimate, some hours old, or None where it gives none."""

    id: str
    name: str
    region: str
    mount_point: str
    created: str
    is_in_use: bool
    bytes_used: int | None

    @classmethod
    def parse(cls, raw: dict[str, t.Any]) -> Filesystem:
        """From the API's object."""
        used = raw.get("bytes_used")
        return cls(
            str(raw["id"]),
            raw.get("name") or "",
            (raw.get("region") or {}).get("name", ""),
            raw.get("mount_point") or "",
            raw.get("created") or "",
            bool(raw.get("is_in_use")),
            None if used is None else int(used),
        )

    @property
    def dollars_per_month(self) -> float | None:
        """What `bytes_used` costs, or None where the API does not say."""
        return None if self.bytes_used is None else round(self.bytes_used / 2**30 * DOLLARS_PER_GIB_MONTH, 2)


@dataclasses.dataclass(frozen=True)
class Region:
    """A place where instances run."""

    name: str
    description: str

    @classmethod
    def parse(cls, raw: dict[str, t.Any]) -> Region:
        """From the API's object."""
        return cls(raw.get("name") or "", raw.get("description") or "")


@dataclasses.dataclass(frozen=True)
class Image:
    """A machine image in one region."""

    id: str
    name: str
    description: str
    family: str
    version: str
    architecture: str
    region: str
    created_time: str
    updated_time: str

    @classmethod
    def parse(cls, raw: dict[str, t.Any]) -> Image:
        """From the API's object."""
        texts = {field.name: raw.get(field.name) or "" for field in dataclasses.fields(cls) if field.name != "region"}
        return cls(**texts, region=(raw.get("region") or {}).get("name", ""))


def address(text: str | None) -> str:
    """The address, if it is one."""
    try:
        return str(ipaddress.ip_address(text)) if text else ""
    except ValueError:
        return ""
