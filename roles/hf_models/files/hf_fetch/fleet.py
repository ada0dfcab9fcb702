# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes that fetch together, as a file tells; it may be replaced while this runs."""

import hashlib
import json

GIVEN = "given"


class Fleet:
    """`nodes`: address to what it needs of each model, [first, last] layer or None for all.

    `complete`: addresses that lacked nothing when the file was written; `holding`: those that had some files.
    """

    def __init__(self, path, address):
        self.path, self.address = path, address
        self.nodes, self.complete, self.holding, self.text = {}, set(), set(), None
        self.reload()

    def reload(self):
        """Whether there is something new. A file that cannot be read is as none: then each for itself."""
        try:
            text = self.path.read_text(encoding="utf-8") if self.path else ""
            data = json.loads(text or "{}")
            layers = [dict(one) for one in data.get("layers", [])]
            nodes = {address: [one.get(address) for one in layers] for address in data.get("addresses", [])}
            complete, holding = set(data.get("complete", [])), set(data.get("holding", []))
        except (OSError, ValueError, TypeError, AttributeError):
            text, nodes, complete, holding = "", {}, set(), set()
        if text == self.text:
            return False
        self.text, self.nodes, self.complete, self.holding = text, nodes, complete, holding
        return True

    def peers(self):
        """Addresses of the others; empty where this node is not of the fleet."""
        return sorted(set(self.nodes) - {self.address}) if self.address in self.nodes else []

    def waits(self):
        """Whether somebody lacked something and has not been given it yet by this node."""
        return bool(set(self.peers()) - self.complete) and self._given() != self._name()

    def note_given(self):
        """This node has done its part for the fleet as the file tells it."""
        if self.path:
            self.path.with_name(GIVEN).write_text(self._name(), encoding="utf-8")

    def _given(self):
        try:
            return self.path.with_name(GIVEN).read_text(encoding="utf-8")
        except OSError:
            return None

    def _name(self):
        return hashlib.sha256((self.text or "").encode()).hexdigest()
