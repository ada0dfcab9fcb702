# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_instance: runs on the control node, where the key stays."""

from __future__ import annotations

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors

# After this many seconds a termination that shows no effect is asked for again.
PATIENCE = 60


class ActionModule(LambdaAction):
    """One instance, by its id: names can be given twice."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "id": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "restarted", "absent"], "default": "present"},
        "name": {"type": "str"},
        "timeout": {"type": "float", "default": 600},
        "poll_interval": {"type": "float", "default": 5},
    }

    def execute(self, client, options):
        item = self.find(client, options["id"])
        if options["state"] == "absent":
            return self.absent(client, options, item)
        if item is None or item.is_gone:
            what = f"is {item.status}" if item else "is not there"
            raise errors.CloudError(
                f"The instance {options['id']} {what}, and only lambda_fleet launches one: correct the id, "
                "or use state: absent. Nothing was changed."
            )
        return (
            self.restarted(client, item)
            if options["state"] == "restarted"
            else self.present(client, item, options["name"])
        )

    def find(self, client, instance_id):
        """From a fresh list, the instance of exactly this id."""
        return results.only(results.matching(client.instances(), id=instance_id), f"instance {instance_id}")

    def present(self, client, item, name):
        before, after = {"name": item.name}, {"name": item.name if name is None else name}
        if before != after and not self.is_check:
            client.rename(item.id, name)
        return results.outcome(before, after, instance={**results.instance(item), **after})

    def restarted(self, client, item):
        if not self.is_check:
            self.restart(client, item)
        return results.outcome({"status": item.status}, {"status": "restarting"}, instance=results.instance(item))

    def restart(self, client, item):
        """Asked for once, and again only where the API said that it was too early."""
        for attempt in range(results.TRIES):
            try:
                client.restart(item.id)
                return
            except errors.LambdaError as error:
                if error.kind == "conflict":
                    words = (
                        f"The instance {results.named([item])} is {item.status} and cannot be restarted at this "
                        "moment: "
                        f"{error.said} Run this again later."
                    )
                    raise errors.CloudError(words) from error
                if error.kind != "rate" or attempt + 1 == results.TRIES or not client.pause(attempt, error):
                    raise

    def absent(self, client, options, item):
        """Terminate it unless it is on its way, and wait until the API shows it no more."""
        is_alive = item is not None and not item.is_gone
        before = {"id": item.id, "name": item.name} if is_alive else {}
        result = results.outcome(before, {}, instance={})
        clock = client.clock
        deadline, asked = clock.monotonic() + options["timeout"], None
        while item is not None and item.status != "terminated" and not self.is_check:
            now = clock.monotonic()
            if not item.is_gone and (asked is None or now - asked >= PATIENCE):
                self.terminate(client, item.id)
                asked = now
            elif now >= deadline:
                raise errors.CloudError(
                    f"The instance {results.named([item])} is still {item.status} after {options['timeout']:.0f} s and "
                    "may be paid for: "
                    "run this again, then look at the website."
                )
            else:
                self.say(
                    options["id"], f"waiting until it is gone, for {deadline - now:.0f} s at most; it is {item.status}"
                )
                clock.sleep(options["poll_interval"])
            item = self.find(client, options["id"])
        return result

    def terminate(self, client, instance_id):
        """One that is gone meanwhile is what we want; the next look tells."""
        try:
            client.terminate([instance_id])
        except errors.LambdaError as error:
            if error.kind != "not-found":
                raise
