# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet intended and got, written before and after each call that costs money.

Events, each with a time (seconds since 1970): `intend` a launch, then `launched` (it has an id), `refused` (the API said no)
or `unclear` (no answer), which becomes `launched` or `lost` (it never appeared); `adopted` an instance that another
control node launched; `terminate` is asked, `terminated` is accepted, `gone` is seen; `closed` by a receipt.
"""

from __future__ import annotations

import dataclasses
import json
import os
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import clock as clocks


@dataclasses.dataclass
class Life:
    """One instance of the fleet, from the first to the last that is known of it. Times are seconds since 1970.

    `begin` is when its launch was asked for, `told` when its id was known.
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
    gone: float | None = None

    @property
    def end(self) -> float | None:
        """When it stopped to cost: its end was accepted, or it was seen to be gone; None while it is paid for."""
        return None if self.gone is None else min(self.terminated or self.gone, self.gone)

    def seconds(self, now: float) -> float:
        """How long it was, or has been, paid for: from the launch on, which is the upper bound."""
        return max(0.0, (now if self.end is None else self.end) - self.begin)

    def dollars(self, now: float) -> float:
        """What that costs at the price of its launch."""
        return self.seconds(now) / 3600 * self.price_cents_per_hour / 100


class Ledger:
    """Lines of JSON in the fleet's folder, appended and synced, never rewritten."""

    def __init__(self, folder: str, clock: clocks.Clock | None = None):
        self.path = os.path.join(folder, "ledger.jsonl")
        self.clock = clock or clocks.Clock()
        self.events: list[dict[str, t.Any]] | None = None

    def write(self, event: str, **details: t.Any) -> None:
        """One line: time, event and details."""
        self.read()
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        entry = {"time": round(self.clock.now(), 3), "event": event, **details}
        line = json.dumps(entry, sort_keys=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            # A line that a crash cut short must not swallow this one.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, (b"\n" if torn else b"") + line.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.events.append(entry)

    def read(self) -> list[dict[str, t.Any]]:
        """All events, read once: one run at a time writes. A line that a crash cut short is left out."""
        if self.events is None:
            self.events = self._load()
        return self.events

    def _load(self) -> list[dict[str, t.Any]]:
        events = []
        try:
            with open(self.path, encoding="utf-8", errors="replace") as stream:
                for line in stream:
                    try:
                        event = json.loads(line)
                    except ValueError:
                        continue
                    if isinstance(event, dict) and "event" in event and "time" in event:
                        events.append(event)
        except FileNotFoundError:
            pass
        return events

    def open_events(self) -> list[dict[str, t.Any]]:
        """Events since the last receipt."""
        events = self.read()
        closed = [number for number, event in enumerate(events) if event["event"] == "closed"]
        return events[closed[-1] + 1:] if closed else events

    def pending(self) -> list[dict[str, t.Any]]:
        """Intents of which it is not known what came of them; their time is that of the call's end, if it had one."""
        intents: dict[str, dict[str, t.Any]] = {}
        for event in self.read():
            if event["event"] == "intend":
                intents[event["run"]] = event
            elif event["event"] == "unclear" and event.get("run") in intents:
                intents[event["run"]] = {**intents[event["run"]], "time": event["time"]}
            elif event["event"] in ("launched", "refused", "lost"):
                intents.pop(event.get("run", ""), None)
        return list(intents.values())

    def lives(self) -> dict[str, Life]:
        """The fleet's instances since the last receipt, by id."""
        lives: dict[str, Life] = {}
        intents: dict[str, dict[str, t.Any]] = {}
        for event in self.open_events():
            kind, instance_id = event["event"], event.get("id", "")
            if kind == "intend":
                intents[event["run"]] = event
            elif kind in ("launched", "adopted"):
                intent = intents.get(event.get("run", ""), {})
                told = {**intent, **event}
                lives[instance_id] = Life(
                    instance_id, told.get("node", ""), told.get("run", ""), float(event.get("begin") or intent.get("time") or event["time"]),
                    float(event["time"]),
                    int(told.get("price_cents_per_hour") or 0), told.get("instance_type", ""), told.get("region", ""),
                )
            elif instance_id in lives and kind == "terminate":
                lives[instance_id].why = event.get("why", "")
            elif instance_id in lives and kind == "terminated":
                lives[instance_id].terminated = lives[instance_id].terminated or event["time"]
            elif instance_id in lives and kind == "gone":
                lives[instance_id].gone = lives[instance_id].gone or event["time"]
        return lives

    def dollars(self) -> float:
        """What the fleet has cost since the last receipt, at most."""
        now = self.clock.now()
        return sum(life.dollars(now) for life in self.lives().values())
