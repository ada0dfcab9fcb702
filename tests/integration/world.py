# SPDX-License-Identifier: GPL-3.0-or-later
"""A cloud and a control node that share a clock on which nobody waits.

Hours of a fleet's life in a moment, at the documented pace.
"""

from __future__ import annotations

from ansible_collections.gh200.inference.plugins.action.lambda_fleet import ActionModule
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import absent, ledger, present, receipt, spec
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import client

REAL = {
    "request_interval": 1.0,
    "launch_interval": 12.0,
    "boot_seconds": 138.0,
    "address_seconds": 25.0,
    "terminate_seconds": 61.0,
}
LAUNCH, TERMINATE = "POST /instance-operations/launch", "POST /instance-operations/terminate"


class World:
    """The account `sim`; the control node's state is in `folder`, what it said in `lines`."""

    def __init__(self, sim, clock, folder):
        self.sim, self.clock, self.folder, self.lines = sim, clock, str(folder), []

    def client(self):
        return client.Client.connect(self.sim.key, self.sim.url, 1.0, 12.0, timeout=5, clock=self.clock)

    def options(self, told):
        """Of lambda_fleet, as the module has them: the defaults that it documents, and what is told."""
        usual = {name: option.get("default") for name, option in ActionModule.SPEC.items()}
        here = {
            "name": "r1",
            "region": ["us-east-3"],
            "ssh_key_name": "laptop",
            "filesystems": ["shared"],
            "wait_for_ssh": False,
        }
        return usual | here | told

    def fleet(self, size=0, **told):
        """A fleet as one run of the module makes it."""
        wanted = spec.FleetSpec.from_options(self.options({"size": size} | told))
        return present.Fleet(self.client(), wanted, f"{self.folder}/{wanted.name}", self.lines.append)

    def up(self, size, **told):
        """One run with state present; node to id."""
        running = self.fleet(size, **told)
        return {node: instance.id for node, instance in running.present(running.prepare()).items()}

    def down(self, **told):
        """One run with state absent; the ids that were terminated."""
        wanted = spec.EndSpec.from_options(self.options(told))
        return absent.Ending(self.client(), wanted, f"{self.folder}/{wanted.name}", self.lines.append).absent()

    def lives(self, name="r1"):
        """Instances that the ledger knows."""
        return ledger.Ledger(f"{self.folder}/{name}").lives()

    def receipt(self, name="r1"):
        """Dollars that a receipt would show at this moment."""
        accounts = ledger.Ledger(f"{self.folder}/{name}").accounts()
        return receipt.make(name, accounts, self.client().instances(), {}, self.clock.now())["total"]["dollars"]

    def bill(self, name="r1"):
        """Dollars that the account will be asked for."""
        items = self.sim.cloud.bill()["items"].values()
        return sum(
            item["dollars"] for item in items if item["kind"] == "instance" and item["tags"].get("gh200:fleet") == name
        )

    def paid(self):
        """Ids that are paid for at this moment."""
        return set(self.sim.cloud.billing.paid_now())

    def alive(self):
        """Node to ids of what is shown and not ended."""
        found = {}
        for item in self.sim.cloud.instances():
            if item["status"] not in ("terminating", "terminated"):
                tags = {tag["key"]: tag["value"] for tag in item["tags"]}
                found.setdefault(tags.get("gh200:node", item["id"]), []).append(item["id"])
        return found

    def count(self, call):
        """How often something was asked."""
        return sum(f"{item.method} {item.path}" == call for item in self.sim.app.state.calls)
