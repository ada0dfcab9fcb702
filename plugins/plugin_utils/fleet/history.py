# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the ledger's events say of each instance, as the upper bound of what it cost. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

Event = dict[str, t.Any]

# Seconds. Seen to have ended within this time after an accepted termination, the look counts: nothing can have been
# paid for after it. Where nobody looked for longer, as after a kill, the termination counts, and the receipt does not
# grow by the time in which nobody looked.
LOOKED = 180.0


@dataclasses.dataclass
class Life:
    """One instance of the fleet, from the first to the last that is known of it. Times are seconds since 1970.

    `begin` is when its launch was asked for, `told` when its id was known. `terminated` is the last termination that
    was accepted and after which it was not seen alive, `ending` when it was first seen on its way out, `gone` when it
    was seen gone.
    """

    id: str
    node: str
    run: str
    begin: float
    told: float
    price_cents_per_hour: int
    instance_type: str = ""
    region: str = ""
    why: str = ""
    terminated: float | None = None
    ending: float | None = None
    gone: float | None = None

    @property
    def end(self) -> float | None:
        """When it had stopped to cost at the latest, whatever the API answered; None while it is paid for."""
        if self.gone is None:
            return None
        seen = self.gone if self.ending is None else min(self.ending, self.gone)
        return self.terminated if self.terminated is not None and seen - self.terminated > LOOKED else seen

    def seconds(self, now: float) -> float:
        """How long it was, or has been, paid for: from the launch on, which is the upper bound."""
        return max(0.0, (now if self.end is None else self.end) - self.begin)

    def dollars(self, now: float) -> float:
        """What that costs at the price of its launch."""
        return self.seconds(now) / 3600 * self.price_cents_per_hour / 100

    def tell(self, event: Event) -> None:
        """What happened to it next."""
        kind, when = event["event"], event["time"]
        if kind == "terminate":
            self.why = event.get("why", "")
        elif kind == "terminated":
            self.terminated = when
        elif kind in ("ending", "gone"):
            setattr(self, kind, getattr(self, kind) or when)
        elif kind == "alive":
            # Whatever was accepted or seen before had no effect, or was not so.
            self.terminated = self.ending = self.gone = None
        elif kind == "price":
            self.price_cents_per_hour = max(self.price_cents_per_hour, event["price_cents_per_hour"])


def since_receipt(events: list[Event]) -> list[Event]:
    """Events after the last receipt."""
    closed = [number for number, event in enumerate(events) if event["event"] == "closed"]
    return events[closed[-1] + 1 :] if closed else events


def lives(events: list[Event]) -> dict[str, Life]:
    """Instances by id."""
    found: dict[str, Life] = {}
    intents: dict[str, Event] = {}
    for event in events:
        if event["event"] == "intend":
            intents[event["run"]] = event
        elif event["event"] in ("launched", "adopted"):
            found[event["id"]] = _begun(event, intents.get(event.get("run", ""), {}))
        elif event.get("id") in found:
            found[event["id"]].tell(event)
    return found


def pending(events: list[Event]) -> list[Event]:
    """Intents of which it is not known what came of them; their time is that of the call's end, if it had one."""
    intents: dict[str, Event] = {}
    for event in events:
        if event["event"] == "intend":
            intents[event["run"]] = event
        elif event["event"] == "unclear" and event["run"] in intents:
            intents[event["run"]] = {**intents[event["run"]], "time": event["time"]}
        elif event["event"] in ("launched", "refused", "lost"):
            intents.pop(event.get("run", ""), None)
    return list(intents.values())


def unseen(events: list[Event]) -> list[Life]:
    """Launches without a clear answer that never showed.

    If there was an instance, it had ended when it was looked for in vain. Without an id.
    """
    intents: dict[str, Event] = {}
    found = []
    for event in events:
        if event["event"] == "intend":
            intents[event["run"]] = {**event, "is_unclear": False}
        elif event["event"] == "unclear" and event["run"] in intents:
            intents[event["run"]]["is_unclear"] = True
        elif event["event"] == "lost" and intents.get(event["run"], {}).get("is_unclear"):
            life = _begun(event | {"id": ""}, intents[event["run"]])
            life.why, life.gone = "the launch had no clear answer, and it never showed", event["time"]
            found.append(life)
    return found


def _begun(event: Event, intent: Event) -> Life:
    """A life that is known since this event; of an intent here, or adopted with what its tags say."""
    told = {**intent, **event}
    begin = event.get("begin") or intent.get("time") or event["time"]
    return Life(
        event["id"],
        told.get("node", ""),
        told.get("run", ""),
        float(begin),
        float(event["time"]),
        int(told.get("price_cents_per_hour") or 0),
        told.get("instance_type", ""),
        told.get("region", ""),
    )
