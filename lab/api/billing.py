# SPDX-License-Identifier: GPL-3.0-or-later
"""What is paid for, from when to when, and how much.

The real API has no such call; a test of a guard of costs needs one.
"""

from __future__ import annotations

from .bills import Bill, InstanceBill
from .config import ApiConfig
from .instance import Instance
from .store import Object, Store


class Billing:
    """Keeps the store's `bills` and `history`. To the second, without taxes."""

    def __init__(self, store: Store, config: ApiConfig):
        self.store = store
        self.config = config

    def launched(self, instance: Instance) -> None:
        """An instance is paid for from its launch, or from when it works."""
        self.store.bills[instance.id] = instance.bill
        if self.config.bill_from == "launch":
            self.begin(instance, instance.times.launched)

    def begin(self, instance: Instance, moment: float) -> None:
        """Does nothing for what is paid for already, or no more."""
        if instance.bill.start is None and instance.bill.end is None:
            instance.bill.start = moment
            self.store.history.append((moment, "paid", instance.id))

    def end(self, instance: Instance, moment: float) -> None:
        """When its termination is accepted, or it has vanished."""
        instance.bill.end = moment
        if instance.bill.start is not None:
            self.store.history.append((moment, "ended", instance.id))

    def bill(self, now: float) -> Object:
        """{"items": {id: what is known of it, with seconds, dollars and is_billing}, "total": dollars}."""
        items = {object_id: self._item(bill, now) for object_id, bill in self.store.bills.items()}
        return {"items": items, "total": sum(item["dollars"] for item in items.values())}

    def _item(self, bill: Bill, now: float) -> Object:
        dollars = (
            bill.dollars(now) if isinstance(bill, InstanceBill) else bill.dollars(now, self.config.filesystem_cents)
        )
        return bill.written() | {"seconds": bill.seconds(now), "dollars": dollars, "is_billing": bill.is_billing}

    def paid_now(self) -> list[str]:
        """Ids of the instances that are paid for."""
        return [
            object_id
            for object_id, bill in self.store.bills.items()
            if isinstance(bill, InstanceBill) and bill.is_billing
        ]

    def most_paid(self, tags: dict[str, str] | None = None) -> int:
        """The largest number of instances with all these tags that were ever paid for at once."""
        wanted = set((tags or {}).items())
        count = most = 0
        for _, event, object_id in self.history():
            bill = self.store.bills[object_id]
            if isinstance(bill, InstanceBill) and wanted <= set(bill.tags.items()):
                count += 1 if event == "paid" else -1
                most = max(most, count)
        return most

    def history(self) -> list[tuple[float, str, str]]:
        """Time, "paid" or "ended", and the instance's id, in the order of time."""
        return sorted(self.store.history, key=lambda entry: entry[0])
