# SPDX-License-Identifier: GPL-3.0-or-later
"""The account's objects, kept in one JSON file so that a new API process goes on with them."""

from __future__ import annotations

import copy
import json
import os
import uuid
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from . import bills
from .bills import Bill, InstanceBill
from .instance import Instance

Object = dict[str, Any]  # as the API shows it
# What an account has when nobody has changed it.
FIREWALL = (
    {"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0", "description": "ssh"},
    {"protocol": "icmp", "source_network": "0.0.0.0/0", "description": "ping"},
)
# Parts that are in the file as they are here.
PLAIN = ("ssh_keys", "filesystems", "firewall_rules", "firewall_rulesets", "events", "created", "releases", "account")


def new_id() -> str:
    """32 hexadecimal digits, as the real ones look."""
    return uuid.uuid4().hex


@dataclass
class Store:
    """Each attribute is a part of the account: objects by id, and below them what the API does not show."""

    instances: dict[str, Instance] = field(default_factory=dict)
    ssh_keys: dict[str, Object] = field(default_factory=dict)
    filesystems: dict[str, Object] = field(default_factory=dict)
    firewall_rules: list[Object] = field(default_factory=lambda: copy.deepcopy(list(FIREWALL)))
    firewall_rulesets: dict[str, Object] = field(default_factory=dict)
    events: list[Object] = field(default_factory=list)
    created: dict[str, float] = field(default_factory=dict)  # when an object other than an instance was made
    releases: dict[str, float] = field(default_factory=dict)  # from when on a filesystem is no more in use
    bills: dict[str, Bill] = field(default_factory=dict)  # of all that ever was
    history: list[tuple[float, str, str]] = field(default_factory=list)  # time, "paid" or "ended", instance
    account: dict[str, Any] = field(default_factory=dict)  # settings that were changed

    def born(self, object_id: str) -> float:
        """When an object was made, as far as it is known."""
        instance = self.instances.get(object_id)
        return instance.times.launched if instance else self.created.get(object_id, 0.0)

    def snapshot(self) -> dict[str, Any]:
        """All parts, to go back to."""
        return copy.deepcopy({part.name: getattr(self, part.name) for part in fields(self)})

    def restore(self, parts: dict[str, Any]) -> None:
        """Go back to a snapshot."""
        for name, value in parts.items():
            setattr(self, name, value)


class StateFile:
    """Where a store is kept; without a name it is kept nowhere."""

    def __init__(self, name: str):
        self.path = Path(name) if name else None

    def read(self) -> tuple[Store, float] | None:
        """The store and the simulated time at which it was written; None if there is none."""
        if self.path is None or not self.path.exists():
            return None
        written = json.loads(self.path.read_text(encoding="utf-8"))
        store = Store(**{name: written[name] for name in PLAIN if name in written})
        store.bills = {object_id: bills.read(bill) for object_id, bill in written.get("bills", {}).items()}
        store.history = [tuple(entry) for entry in written.get("history", ())]
        for instance_id, told in written["instances"].items():
            bill = store.bills.get(instance_id)
            kept = bill if isinstance(bill, InstanceBill) else None
            store.instances[instance_id] = Instance.read(told, written["times"][instance_id], kept)
        return store, written.get("clock", 0.0)

    def write(self, store: Store, now: float) -> None:
        """The whole file in one step."""
        if self.path is None:
            return
        content = {name: getattr(store, name) for name in PLAIN} | {
            "history": store.history,
            "clock": now,
            "instances": {},
            "times": {},
        }
        for instance_id, instance in store.instances.items():
            content["instances"][instance_id], content["times"][instance_id] = instance.written()
        content["bills"] = {object_id: bill.written() for object_id, bill in store.bills.items()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_suffix(".new")
        temporary.write_text(json.dumps(content), encoding="utf-8")
        os.replace(temporary, self.path)
