# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet intended and got, written before and after each call that costs money.

Events, each with a time (seconds since 1970): `intend` a launch, then `launched` (it has an id), `refused` (the API
said no) or `unclear` (no answer), which becomes `launched` or `lost` (it never appeared); `adopted` an instance that
another control node launched, `price` a higher one that it shows; `terminate` is asked, `terminated` is accepted,
`ending` and `gone` are seen, and so is `alive`, after a termination that had no effect; `closed` by a receipt.
"""

from __future__ import annotations

import errno
import json
import os
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import clock as clocks

from . import entries, history, state_dir
from .history import Event, Life


class Ledger:
    """Lines of JSON in the fleet's folder, appended and synced.

    Rewritten only without the lines that cannot be read, which are kept beside it.

    With `complain`, trouble with the file is told in a sentence and the ledger goes on in memory: the end of a fleet
    must not depend on it. Without, it is an OSError.
    """

    def __init__(self, folder: str, clock: clocks.Clock | None = None, complain: t.Callable[[str], None] | None = None):
        self.path = os.path.join(folder, "ledger.jsonl")
        self.odd_path = os.path.join(folder, "ledger.odd")
        self.clock = clock or clocks.Clock()
        self.complain = complain
        self.events: list[Event] | None = None
        self.odd: dict[int, bytes] = {}

    # -- the file

    def write(self, event: str, **details: t.Any) -> None:
        """One line: time, event and details.

        What has happened is remembered whatever becomes of the line; an intent counts only
        when it is on disk.
        """
        events = self.read()
        entry = {"time": round(self.clock.now(), 3), "event": event, **details}
        if event != "intend":
            events.append(entry)
        self._try(lambda: self._append(json.dumps(entry, sort_keys=True).encode()))
        if event == "intend":
            events.append(entry)

    def read(self) -> list[Event]:
        """All events, read once: one run at a time writes. Lines that cannot be read are left out."""
        if self.events is None:
            events: list[Event] = []
            self.events = events
            self._try(lambda: self._load(events))
        return self.events

    def set_aside(self) -> str:
        """Move the lines that cannot be read into a file beside the ledger; a sentence that names them.

        Empty where there are none.
        """
        self.read()
        if not self.odd:
            return ""
        named = ", ".join(
            f"line {number} ({ascii(line.decode(errors='replace'))[:80]})"
            for number, line in list(self.odd.items())[:4]
        )
        more = f" and {len(self.odd) - 4} others" if len(self.odd) > 4 else ""
        self._try(self._move_odd)
        return (
            f"{self.path} has what this version cannot have written: {named}{more}. It is kept in "
            f"{self.odd_path}, and what is there is read from the account."
        )

    def count_odd(self) -> int:
        """Lines that could not be read, now or before."""
        self.read()
        with state_dir.reading(self.odd_path) as stream:
            return len(self.odd) + (len(stream.readlines()) if stream else 0)

    def _load(self, events: list[Event]) -> None:
        with state_dir.reading(self.path) as stream:
            for number, line in enumerate(stream or (), 1):
                event = entries.parse(line)
                if event is not None:
                    events.append(event)
                elif line.strip():
                    self.odd[number] = line.rstrip(b"\n")

    def _move_odd(self) -> None:
        """First kept, then taken out: a crash in between leaves them in both."""
        with state_dir.reading(self.path) as stream:
            lines = list(stream or ())
        with open(self.odd_path, "ab") as aside:
            aside.write(b"".join(line + b"\n" for line in self.odd.values()))
            aside.flush()
            os.fsync(aside.fileno())
        state_dir.replace(self.path, b"".join(line for line in lines if entries.parse(line) is not None))
        self.odd = {}

    def _append(self, line: bytes) -> None:
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            # A line that a crash cut short must not swallow this one.
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            line = (b"\n" if torn else b"") + line + b"\n"
            if os.write(descriptor, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _try(self, work: t.Callable[[], None]) -> None:
        """With the file's name in the error, or told of, once, where the ledger may fail."""
        try:
            work()
        except OSError as error:
            error.filename = error.filename or self.path
            if self.complain is None:
                raise
            self.complain(
                f"{state_dir.reason(error)}: going on without the ledger; the receipt will not know what is seen "
                "from here on."
            )
            self.complain = lambda text: None

    # -- what it says

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
