# SPDX-License-Identifier: GPL-3.0-or-later
"""A node: what it is started from, and what is written down of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ..config import PRIVATE, PUBLIC

NUMBERS = range(1, 240)


@dataclass(frozen=True)
class NodeSpec:
    """What the cloud knows of an instance that it starts. `mounts`: folder here to there; `image`: its family."""

    id: str
    hostname: str
    ssh_public_keys: list[str] = field(default_factory=list)
    user_data: str = ""
    mounts: dict[str, str] = field(default_factory=dict)
    image: str = ""


@dataclass(frozen=True)
class Node:
    """A node that was made. `number` gives its addresses and the names of its devices."""

    id: str
    hostname: str
    number: int

    @property
    def ip(self) -> str:
        """Its public address."""
        return f"{PUBLIC}.{10 + self.number}"

    @property
    def private_ip(self) -> str:
        """Its address among the nodes."""
        return f"{PRIVATE}.{10 + self.number}"

    @property
    def namespace(self) -> str:
        """Its network namespace."""
        return f"gh200-{self.number}"

    @property
    def cgroup(self) -> str:
        """Its control group."""
        return f"node-{self.number}"

    def write(self, record: Path) -> None:
        """Before anything of it is made."""
        record.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, record: Path) -> Node | None:
        """What `write` wrote; None for what is not there, or is damaged."""
        try:
            written = json.loads(record.read_text(encoding="utf-8"))
            node = cls(**written)
        except (OSError, ValueError, TypeError):
            return None
        whole = isinstance(node.id, str) and isinstance(node.hostname, str) and type(node.number) is int
        return node if whole and node.number in NUMBERS else None
