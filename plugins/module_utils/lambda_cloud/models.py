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
            region=(raw.get("region") or {}).get("name", ""),
            instance_type=kind.get("name", ""),
            architecture=kind.get("architecture") or "",
            price_cents_per_hour=int(kind.get("price_cents_per_hour") or 0),
            gpus=int((kind.get("specs") or {}).get("gpus") or 0),
            ssh_keys=tuple(raw.get("ssh_key_names") or ()),
            filesystems=tuple(raw.get("file_system_names") or ()),
            tags={tag["key"]: tag.get("value", "") for tag in raw.get("tags") or () if "key" in tag},
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


def offers(raw: dict[str, t.Any]) -> dict[str, Offer]:
    """The catalogue by name."""
    found = {}
    for name, item in raw.items():
        kind = item["instance_type"]
        regions = tuple(region["name"] for region in item.get("regions_with_capacity_available") or ())
        found[name] = Offer(name, kind.get("description", ""), int(kind["price_cents_per_hour"]), regions)
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

    def body(self) -> dict[str, t.Any]:
        """The request: exactly one key, one instance."""
        request = {
            "region_name": self.region, "instance_type_name": self.instance_type, "ssh_key_names": [self.ssh_key],
            "file_system_names": list(self.filesystems), "name": self.name, "hostname": self.name, "user_data": self.user_data,
            "tags": [{"key": key, "value": value} for key, value in self.tags.items()],
        }
        if self.image_family:
            request["image"] = {"family": self.image_family}
        return request


def address(text: str | None) -> str:
    """The address, if it is one."""
    try:
        return str(ipaddress.ip_address(text)) if text else ""
    except ValueError:
        return ""
