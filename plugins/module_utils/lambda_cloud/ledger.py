# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet intended and got, written before and after each call that costs money."""

from __future__ import annotations

import json
import os
import time
import typing as t


class Ledger:
    """Lines of JSON in the fleet's folder, appended and synced, never rewritten."""

    def __init__(self, folder: str):
        self.path = os.path.join(folder, "ledger.jsonl")

    def write(self, event: str, **details: t.Any) -> None:
        """One line: time, event and details."""
        os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        line = json.dumps({"time": round(time.time(), 3), "event": event, **details}, sort_keys=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, line.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self) -> list[dict[str, t.Any]]:
        """All lines; one that a crash cut short is left out."""
        events = []
        try:
            with open(self.path, encoding="utf-8") as stream:
                for line in stream:
                    try:
                        events.append(json.loads(line))
                    except ValueError:
                        continue
        except FileNotFoundError:
            pass
        return events
