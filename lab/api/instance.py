# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance: what the API shows of it when all of it may be seen, its times, and its bill."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from .bills import InstanceBill


@dataclass
class Doom:
    """What becomes of an instance (a kind of faults.KINDS), and when, in simulated seconds since 1970."""

    kind: str
    at: float


@dataclass
class Times:
    """What the clock needs to know. `held` is a status that the instance has until it is terminated."""

    launched: float
    ended: float | None = None  # its termination was accepted
    held: str = ""
    fates: list[Doom] = field(default_factory=list)

    def come(self, now: float) -> set[str]:
        """The kinds of fates whose moment has come."""
        return {fate.kind for fate in self.fates if fate.at <= now}

    @classmethod
    def read(cls, written: dict[str, Any]) -> Times:
        """Out of a file."""
        return cls(**{**written, "fates": [Doom(**fate) for fate in written.get("fates", ())]})


@dataclass(kw_only=True)
class Instance:
    """Its first fields are those of the API; objects in them are as the API shows them."""

    id: str
    name: str | None
    ip: str
    private_ip: str | None
    status: str = "booting"
    hostname: str
    ssh_key_names: list[str]
    file_system_names: list[str]
    file_system_mounts: list[dict[str, str]]
    region: dict[str, str]
    instance_type: dict[str, Any]
    jupyter_token: str
    jupyter_url: str
    tags: list[dict[str, str]] = field(default_factory=list)
    firewall_rulesets: list[dict[str, str]] = field(default_factory=list)
    times: Times
    bill: InstanceBill

    @property
    def mounted(self) -> list[str]:
        """Ids of its filesystems."""
        return [entry["file_system_id"] for entry in self.file_system_mounts]

    def told(self) -> dict[str, Any]:
        """The fields of the API, all of them."""
        return {name: getattr(self, name) for name in FIELDS}

    def written(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Two parts of a file: what may be shown, and the times. The bill is among the bills."""
        return self.told(), asdict(self.times)

    @classmethod
    def read(cls, told: dict[str, Any], times: dict[str, Any], bill: InstanceBill | None) -> Instance:
        """Out of a file. One of an earlier version has no bill of it."""
        known = {name: told[name] for name in FIELDS if name in told}
        bill = bill or new_bill(known.get("name"), known["region"], known["instance_type"], known.get("tags", []))
        return cls(**known, times=Times.read(times), bill=bill)


FIELDS = tuple(item.name for item in fields(Instance) if item.name not in ("times", "bill"))


def new_bill(
    name: str | None, region: dict[str, str], instance_type: dict[str, Any], tags: list[dict[str, str]]
) -> InstanceBill:
    """The bill of an instance with these fields of the API, of which nothing is paid yet."""
    return InstanceBill(
        name=name,
        region=region["name"],
        tags={tag["key"]: tag["value"] for tag in tags},
        instance_type=instance_type["name"],
        price_cents_per_hour=instance_type["price_cents_per_hour"],
    )
