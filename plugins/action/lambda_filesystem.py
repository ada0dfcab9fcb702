# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_filesystem: runs on the control node, where the key stays."""

from __future__ import annotations

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models


class ActionModule(LambdaAction):
    """One filesystem, by its name and region."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "name": {"type": "str", "required": True},
        "region": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "timeout": {"type": "float", "default": 300},
        "poll_interval": {"type": "float", "default": 5},
    }

    def execute(self, client, options):
        name, region = options["name"], options["region"]
        found = self.find(client, name, region)
        there, declared = {"name": name, "region": region} if found else {}, {"name": name, "region": region}
        if options["state"] == "present":
            if not found:
                found = (
                    models.Filesystem("", name, region, f"/lambda/nfs/{name}", "", False, 0)
                    if self.is_check
                    else self.make(client, options)
                )
            return results.outcome(there, declared, filesystem=results.filesystem(found))
        if found and self.is_check:
            self.users(client, found)
        elif found:
            self.delete(client, found, options)
        return results.outcome(there, {}, filesystem={})

    def find(self, client, name, region):
        """The account's filesystem of exactly this name in this region."""
        return results.only(
            results.matching(client.filesystems(), name=name, region=region), f"filesystem named {name} in {region}"
        )

    def make(self, client, options):
        """Create it, and wait until the API shows it: a launch that came before would be refused, and a second run
        would create it again.
        """
        name, region = options["name"], options["region"]
        deadline = client.clock.monotonic() + options["timeout"]
        made = self.add(client, name, region)
        while True:
            found = self.find(client, name, region)
            left = deadline - client.clock.monotonic()
            if found:
                return found
            if left <= 0:
                raise errors.CloudError(
                    f"The filesystem {name} ({made.id}) was created in {region}, "
                    f"and after {options['timeout']:.0f} s the account's list does not show it: "
                    "look at the website before you run this again."
                )
            self.say(name, f"waiting until the account's list shows it, for {left:.0f} s at most")
            client.clock.sleep(min(options["poll_interval"], left))

    def add(self, client, name, region):
        what = f"filesystem named {name} in {region}"
        try:
            return results.create(
                lambda: client.add_filesystem(name, region), lambda: self.find(client, name, region), what, client.pause
            )
        except errors.LambdaError as error:
            if error.code != "global/duplicate":
                raise
            elsewhere = [item.region for item in results.matching(client.filesystems(), name=name)]
            where = (
                f"It is in {', '.join(elsewhere)}, and a filesystem cannot move"
                if elsewhere
                else "The account's list does not show it"
            )
            raise errors.CloudError(
                f"The name {name} is taken, so that {region} cannot have a filesystem of it. {where}: "
                "choose another name."
            ) from error

    def users(self, client, item):
        """Refuse while an instance that is alive uses it; whether it is still held by one that has ended."""
        if not item.is_in_use:
            return False
        using = [
            other
            for other in results.matching(client.instances(), region=item.region)
            if item.name in other.filesystems and not other.is_gone
        ]
        if using:
            users = results.named(using)
            raise errors.CloudError(
                f"The filesystem {item.name} in {item.region} is in use by {users}: terminate these first. "
                "Nothing was changed."
            )
        return True

    def delete(self, client, item, options):
        """Once it is released, and until the API shows it no more."""
        deadline = client.clock.monotonic() + options["timeout"]
        while item:
            is_held = self.users(client, item)
            if not is_held:
                try:
                    client.delete_filesystem(item.id)
                except errors.LambdaError as error:
                    if error.kind != "conflict":
                        raise
                    is_held = True
            if is_held:
                left = deadline - client.clock.monotonic()
                if left <= 0:
                    raise errors.CloudError(
                        f"The filesystem {item.name} ({item.id}) is still in use after {options['timeout']:.0f} s, "
                        "though no instance that is alive has it; "
                        "it is paid for by what is in it: run this again later."
                    )
                self.say(
                    item.name, f"waiting until it is released by instances that have ended, for {left:.0f} s at most"
                )
                client.clock.sleep(options["poll_interval"])
            item = self.find(client, item.name, item.region)
