# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cloud needs of its machines; and drivers without nodes: for tests of the API and its clients, and for a
cloud that lies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..nodes.node import NodeSpec


class Machine(Protocol):
    """What was started."""

    @property
    def ip(self) -> str:
        """Its public address."""

    @property
    def private_ip(self) -> str:
        """Its address among the others."""


class Driver(Protocol):
    """lab.nodes.driver has the real one."""

    def create(self, spec: NodeSpec) -> Machine:
        """Start one; LabError if it cannot be."""

    def status(self, node_id: str) -> str:
        """booting, running or gone."""

    def reboot(self, node_id: str) -> None:
        """Start it again."""

    def destroy(self, node_id: str) -> list[str]:
        """Remove it; what is left of it."""


@dataclass(frozen=True)
class Address:
    """All that there is of an instance without a node."""

    id: str
    ip: str
    private_ip: str


class NullDriver:
    """Instances run at once, at addresses of this machine where nothing listens."""

    def __init__(self) -> None:
        self.nodes: dict[str, Address] = {}
        self.specs: dict[str, NodeSpec] = {}

    def create(self, spec: NodeSpec) -> Address:
        """Addresses of its own."""
        number = len(self.specs) + 1
        self.specs[spec.id] = spec
        block, place = number // 250, number % 250 + 1
        self.nodes[spec.id] = Address(spec.id, f"127.77.{block}.{place}", f"127.78.{block}.{place}")
        return self.nodes[spec.id]

    def status(self, node_id: str) -> str:
        """Nothing ever boots."""
        return "running" if node_id in self.nodes else "gone"

    def reboot(self, node_id: str) -> None:
        """Nothing to reboot."""

    def destroy(self, node_id: str) -> list[str]:
        """Forget it."""
        self.nodes.pop(node_id, None)
        return []


class IdleDriver:
    """Says what the real one says of its nodes, and does nothing to them."""

    def __init__(self, real: Driver):
        self.real = real
        self.pretended = NullDriver()

    def create(self, spec: NodeSpec) -> Address:
        """Only addresses."""
        return self.pretended.create(spec)

    def status(self, node_id: str) -> str:
        """Of what was pretended, or is real."""
        return "running" if node_id in self.pretended.nodes else self.real.status(node_id)

    def reboot(self, node_id: str) -> None:
        """Not really."""

    def destroy(self, node_id: str) -> list[str]:
        """Not really."""
        return self.pretended.destroy(node_id)
