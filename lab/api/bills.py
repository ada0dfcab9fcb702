# SPDX-License-Identifier: GPL-3.0-or-later
"""The bill of one thing: it stays when the thing has gone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

HOUR, MONTH, GIB = 3600.0, 730 * 3600.0, 2**30


@dataclass(kw_only=True)
class _Span:
    """Paid for since `start` and until `end`, in simulated seconds; None for what has not come."""

    kind: ClassVar[str]
    name: str | None
    region: str
    start: float | None = None
    end: float | None = None

    @property
    def is_billing(self) -> bool:
        """Whether it is paid for at present."""
        return self.start is not None and self.end is None

    def seconds(self, now: float) -> float:
        """So long it has been paid for."""
        return 0.0 if self.start is None else max(0.0, (now if self.end is None else self.end) - self.start)

    def written(self) -> dict[str, Any]:
        """As a file and /admin/bill have it."""
        values = asdict(self)
        start, end = values.pop("start"), values.pop("end")
        return {"kind": self.kind, **values, "from": start, "to": end}


@dataclass(kw_only=True)
class InstanceBill(_Span):
    """An instance costs what its type cost at its launch."""

    kind = "instance"
    tags: dict[str, str]
    instance_type: str
    price_cents_per_hour: int

    def dollars(self, now: float) -> float:
        """What it has cost until now."""
        return self.price_cents_per_hour / 100 * self.seconds(now) / HOUR


@dataclass(kw_only=True)
class FilesystemBill(_Span):
    """A filesystem costs by what is in it: `byte_seconds` reaches to `since`, and from then on it is `bytes_used`."""

    kind = "filesystem"
    bytes_used: int
    since: float
    byte_seconds: float = 0.0

    def filled(self, bytes_used: int, moment: float) -> None:
        """From now on so much is in it."""
        self.byte_seconds += self.bytes_used * (moment - self.since)
        self.bytes_used, self.since = bytes_used, moment

    def close(self, moment: float) -> None:
        """It is deleted."""
        self.filled(self.bytes_used, moment)
        self.end = moment

    def dollars(self, now: float, cents: float) -> float:
        """What it has cost until now, at so many cents per GiB and month."""
        byte_seconds = self.byte_seconds + (self.bytes_used * (now - self.since) if self.end is None else 0.0)
        return cents / 100 * byte_seconds / GIB / MONTH


Bill = InstanceBill | FilesystemBill


def read(written: dict[str, Any]) -> Bill:
    """The bill that `written` gave."""
    values = {"start": written["from"], "end": written["to"], **written}
    for name in ("kind", "from", "to"):
        del values[name]
    return InstanceBill(**values) if written["kind"] == "instance" else FilesystemBill(**values)
