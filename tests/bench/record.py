# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of Ansible did, from the file that callback_plugins/record.py writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path


def recording(path: Path) -> dict[str, str]:
    """The environment in which a run is recorded in that file."""
    return {
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "BENCH_RECORD": str(path),
    }


def lines(path: Path) -> Iterator[dict]:
    """Of a file with a line of JSON for each thing; nothing if there is none."""
    if path.exists():
        yield from map(json.loads, path.read_text(encoding="utf-8").splitlines())


def counted(record: Iterable[dict]) -> dict[str, dict[str, int]]:
    """Host to host-tasks that ran, that were skipped, that changed something."""
    counts: dict[str, dict[str, int]] = {}
    for line in record:
        mine = counts.setdefault(line["host"], {"run": 0, "skipped": 0, "changed": 0})
        mine[line["how"]] += 1
        mine["changed"] += line["changed"]
    return counts
