# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_filesystem: runs on the control node, where the key stays."""

from __future__ import annotations

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models
from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction


class ActionModule(LambdaAction):
    """One filesystem, by its name and region."""

    SPEC = {
        "name": {"type": "str", "required": True},
        "region": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "timeout": {"type": "float", "default": 300},
        "poll_interval": {"type": "float", "default": 5},
    }

    def execute(self, cloud, options):
        name, region = options["name"], options["region"]
        found = self.find(cloud, name, region)
        there, declared = {"name": name, "region": region} if found else {}, {"name": name, "region": region}
        if options["state"] == "present":
            if not found:
                found = models.Filesystem("", name, region, f"/lambda/nfs/{name}", "", False, 0) if self.is_check else self.add(cloud, name, region)
            return results.outcome(there, declared, filesystem=results.filesystem(found))
        if found and self.is_check:
            self.users(cloud, found)
        elif found:
            self.delete(cloud, found, options)
        return results.outcome(there, {}, filesystem={})

    def find(self, cloud, name, region):
        """The account's filesystem of exactly this name in this region."""
        return results.only(results.matching(cloud.filesystem_list(), name=name, region=region), f"filesystem named {name} in {region}")

    def add(self, cloud, name, region):
        try:
            return results.create(lambda: cloud.add_filesystem(name, region), lambda: self.find(cloud, name, region), f"filesystem named {name} in {region}")
        except errors.LambdaError as error:
            if error.code != "global/duplicate":
                raise
            elsewhere = [item.region for item in results.matching(cloud.filesystem_list(), name=name)]
            where = f"It is in {', '.join(elsewhere)}, and a filesystem cannot move" if elsewhere else "The account's list does not show it"
            raise errors.CloudError(f"The name {name} is taken, so that {region} cannot have a filesystem of it. {where}: choose another name.") from error

    def users(self, cloud, item):
        """Refuse while an instance that is alive uses it; whether it is still held by one that has ended."""
        if not item.is_in_use:
            return False
        using = [other for other in results.matching(cloud.instances(), region=item.region) if item.name in other.filesystems and not other.is_gone]
        if using:
            users = results.named(using)
            raise errors.CloudError(f"The filesystem {item.name} in {item.region} is in use by {users}: terminate these first. Nothing was changed.")
        return True

    def delete(self, cloud, item, options):
        """Once it is released, and until the API shows it no more."""
        deadline = cloud.http.clock.monotonic() + options["timeout"]
        while item:
            is_held = self.users(cloud, item)
            if not is_held:
                try:
                    cloud.delete_filesystem(item.id)
                except errors.LambdaError as error:
                    if error.kind != "conflict":
                        raise
                    is_held = True
            if is_held:
                left = deadline - cloud.http.clock.monotonic()
                if left <= 0:
                    raise errors.CloudError(
                        f"The filesystem {item.name} ({item.id}) is still in use after {options['timeout']:.0f} s, though no instance that is alive has it; "
                        "it is paid for by what is in it: run this again later."
                    )
                self.say(item.name, f"waiting until it is released by instances that have ended, for {left:.0f} s at most")
                cloud.http.clock.sleep(options["poll_interval"])
            item = self.find(cloud, item.name, item.region)
