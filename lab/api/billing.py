# SPDX-License-Identifier: GPL-3.0-or-later
"""What is paid for, from when to when, and how much. The real API has no such call; a test of a guard of costs needs one."""

from __future__ import annotations

from .config import ApiConfig
from .store import Store

HOUR, MONTH, GIB = 3600.0, 730 * 3600.0, 2**30


class Billing:
    """Keeps `bills` by id and `history`, both in the account's store. To the second, without taxes."""

    def __init__(self, store: Store, config: ApiConfig):
        self.store = store
        self.config = config

    def launched(self, instance: dict, moment: float) -> None:
        """An instance that is paid for at its present price, from now or from when it works."""
        self.store.bills[instance["id"]] = {
            "kind": "instance", "name": instance["name"], "tags": {tag["key"]: tag["value"] for tag in instance["tags"]},
            "instance_type": instance["instance_type"]["name"], "region": instance["region"]["name"],
            "price_cents_per_hour": instance["instance_type"]["price_cents_per_hour"], "from": None, "to": None,
        }
        if self.config.bill_from == "launch":
            self.begin(instance["id"], moment)

    def created(self, filesystem: dict, moment: float) -> None:
        """A filesystem is paid for by what is in it."""
        self.store.bills[filesystem["id"]] = {
            "kind": "filesystem", "name": filesystem["name"], "region": filesystem["region"]["name"],
            "bytes_used": filesystem["bytes_used"], "byte_seconds": 0.0, "since": moment, "from": moment, "to": None,
        }

    def begin(self, object_id: str, moment: float) -> None:
        """Does nothing for what is paid for already."""
        bill = self.store.bills[object_id]
        if bill["from"] is None and bill["to"] is None:
            bill["from"] = moment
            self.store.history.append([moment, "paid", object_id])

    def end(self, object_id: str, moment: float) -> None:
        """Of an instance when its termination is accepted, of a filesystem when it is deleted."""
        bill = self.store.bills[object_id]
        if bill["kind"] == "filesystem":
            self.filled(object_id, bill["bytes_used"], moment)
        bill["to"] = moment
        if bill["kind"] == "instance" and bill["from"] is not None:
            self.store.history.append([moment, "ended", object_id])

    def filled(self, filesystem_id: str, bytes_used: int, moment: float) -> None:
        """From now on so much is in a filesystem."""
        bill = self.store.bills[filesystem_id]
        bill["byte_seconds"] += bill["bytes_used"] * (moment - bill["since"])
        bill.update(bytes_used=bytes_used, since=moment)

    def bill(self, now: float) -> dict:
        """{"items": {id: what is known of it, with seconds, dollars and is_billing}, "total": dollars}."""
        items = {object_id: self._item(bill, now) for object_id, bill in self.store.bills.items()}
        return {"items": items, "total": sum(item["dollars"] for item in items.values())}

    def _item(self, bill: dict, now: float) -> dict:
        end = now if bill["to"] is None else bill["to"]
        seconds = 0.0 if bill["from"] is None else max(0.0, end - bill["from"])
        if bill["kind"] == "instance":
            dollars = bill["price_cents_per_hour"] / 100 * seconds / HOUR
        else:
            # What is in `byte_seconds` reaches to `since`.
            byte_seconds = bill["byte_seconds"] + (bill["bytes_used"] * (end - bill["since"]) if bill["to"] is None else 0.0)
            dollars = self.config.filesystem_cents / 100 * byte_seconds / GIB / MONTH
        return bill | {"seconds": seconds, "dollars": dollars, "is_billing": bill["from"] is not None and bill["to"] is None}

    def paid_now(self) -> list[str]:
        """Ids of the instances that are paid for."""
        return [object_id for object_id, bill in self.store.bills.items() if bill["kind"] == "instance" and bill["from"] is not None and bill["to"] is None]

    def most_paid(self, tags: dict[str, str] | None = None) -> int:
        """The largest number of instances with all these tags that were ever paid for at once."""
        wanted = set((tags or {}).items())
        count = most = 0
        for _, event, object_id in sorted(self.store.history, key=lambda entry: entry[0]):
            if wanted <= set(self.store.bills[object_id]["tags"].items()):
                count += 1 if event == "paid" else -1
                most = max(most, count)
        return most
