# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet intended and got, written before and after each call that costs money.

Events, each with a time (seconds since 1970): `intend` a launch, then `launched` (it has an id), `refused` (the API said no)
or `unclear` (no answer), which becomes `launched` or `lost` (it never appeared); `adopted` an instance that another
control node launched, `price` a higher one that it shows; `terminate` is asked, `terminated` is accepted, `ending` and `gone` are seen,
and so is `alive`, after a termination that had no effect; `closed` by a receipt.
"""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import clock as clocks

from . import history
from .history import Event, Life


class Ledger:
    """Lines of JSON in the fleet's folder, appended and synced, never rewritten."""

    def __init__(self, folder: str, clock: clocks.Clock | None = None):
        self.path = os.path.join(folder, "ledger.jsonl")
        self.clock = clock or clocks.Clock()
        self.events: list[Event] | None = None

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

    def read(self) -> list[Event]:
        """All events, read once: one run at a time writes. A line that a crash cut short is left out."""
        if self.events is None:
            self.events = self._load()
        return self.events

    def _load(self) -> list[Event]:
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

    def pending(self) -> list[Event]:
        """Intents of which it is not known what came of them."""
        return history.pending(self.read())

    def lives(self) -> dict[str, Life]:
        """The fleet's instances since the last receipt, by id."""
        return history.lives(history.since_receipt(self.read()))

    def accounts(self) -> list[Life]:
        """All that may have cost something since the last receipt: the instances, and launches that never showed."""
        return [*self.lives().values(), *history.unseen(history.since_receipt(self.read()))]

    def dollars(self) -> float:
        """What the fleet has cost since the last receipt, at most."""
        now = self.clock.now()
        return sum(life.dollars(now) for life in self.accounts())
