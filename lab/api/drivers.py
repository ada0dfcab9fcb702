# SPDX-License-Identifier: GPL-3.0-or-later
"""A driver without nodes, for tests of the API and its clients."""

from __future__ import annotations

from types import SimpleNamespace


class NullDriver:
    """Instances run at once, at addresses where nothing listens."""

    def __init__(self):
        self.nodes = {}
        self.specs = {}

    def create(self, spec):
        number = len(self.specs) + 1
        self.specs[spec.id] = spec
        self.nodes[spec.id] = SimpleNamespace(id=spec.id, ip=f"10.77.{100 + number // 250}.{number % 250 + 1}", private_ip=f"10.78.{number // 250}.{number % 250 + 1}")
        return self.nodes[spec.id]

    def status(self, node_id):
        return "running" if node_id in self.nodes else "gone"

    def reboot(self, node_id):
        """Nothing to reboot."""

    def destroy(self, node_id):
        self.nodes.pop(node_id, None)
        return []
