# SPDX-License-Identifier: GPL-3.0-or-later
"""Drivers without nodes: for tests of the API and its clients, and for a cloud that lies."""

from __future__ import annotations

from types import SimpleNamespace


class NullDriver:
    """Instances run at once, at addresses of this machine where nothing listens."""

    def __init__(self):
        self.nodes = {}
        self.specs = {}

    def create(self, spec):
        number = len(self.specs) + 1
        self.specs[spec.id] = spec
        block, place = number // 250, number % 250 + 1
        self.nodes[spec.id] = SimpleNamespace(id=spec.id, ip=f"127.77.{block}.{place}", private_ip=f"127.78.{block}.{place}")
        return self.nodes[spec.id]

    def status(self, node_id):
        return "running" if node_id in self.nodes else "gone"

    def reboot(self, node_id):
        """Nothing to reboot."""

    def destroy(self, node_id):
        self.nodes.pop(node_id, None)
        return []


class IdleDriver(NullDriver):
    """Says what the real one says of its nodes, and does nothing to them."""

    def __init__(self, real):
        super().__init__()
        self.real = real

    def status(self, node_id):
        return "running" if node_id in self.nodes else self.real.status(node_id)
