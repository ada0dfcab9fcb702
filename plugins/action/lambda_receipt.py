# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_receipt: what a fleet has cost, and the proof that it costs no more."""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import ledger, receipt, state_dir
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.receipt_page import render
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet.state_dir import fleet_folder, locked
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors


class ActionModule(LambdaAction):
    """The end of a fleet, in writing."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "name": {"type": "str", "required": True},
        "state_dir": {"type": "path"},
        "fail_if_billing": {"type": "bool", "default": True},
    }

    def execute(self, client, options):
        folder = fleet_folder(options["state_dir"], options["name"])
        if self.is_check or not os.path.isdir(folder):
            return self.settle(client, options, folder, write=False)
        with locked(folder, f"fleet {options['name']}"):
            return self.settle(client, options, folder, write=True)

    def settle(self, client, options, folder, write):
        """Read what there is, and close the books if everything has ended."""
        log = ledger.Ledger(folder, client.clock)
        odd = log.set_aside() if write else ""
        if odd:
            self.say(options["name"], odd)
        account = receipt.account(
            client.filesystems(), [key.name for key in client.ssh_keys()], client.global_rules(), client.rulesets()
        )
        made = receipt.make(
            options["name"], log.accounts(), client.instances(), account, client.clock.now(), log.count_odd()
        )
        pending = [intent["node"] for intent in log.pending()]
        result = {
            "changed": bool(made["nodes"]) and made["complete"],
            "receipt": made,
            "lines": receipt.sentences(made),
            "json": "",
            "page": "",
        }
        if options["fail_if_billing"] and (not made["complete"] or pending):
            still = [f"{item['name']} ({item['id']}, {item['status']})" for item in made["still_ours"]]
            still += [
                f"{row['node']} ({row['id']}, not listed, its end not seen)"
                for row in made["nodes"]
                if not row["to"] and row["id"] not in str(still)
            ]
            still += [f"{node} (its launch is not clear yet)" for node in pending]
            raise errors.CloudError(f"Fleet {options['name']} is still paid for: {', '.join(still)}. Run teardown.")
        if result["changed"] and write:
            result.update(write_files(os.path.join(folder, "receipts"), made))
            log.write("closed", dollars=made["total"]["dollars"], receipt=os.path.basename(str(result["json"])))
        return result


def write_files(folder, made):
    """JSON for programs and a page for people, named after the moment; paths of both."""
    base = os.path.join(folder, made["made"].replace(":", ""))
    number = 1
    while os.path.exists(f"{base}.json"):
        number += 1
        base = os.path.join(folder, f"{made['made'].replace(':', '')}-{number}")
    for path, text in ((f"{base}.html", render(made)), (f"{base}.json", json.dumps(made, indent=1) + "\n")):
        state_dir.replace(path, text)
    return {"json": f"{base}.json", "page": f"{base}.html"}
