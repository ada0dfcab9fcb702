# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""lambda_firewall_ruleset: runs on the control node, where the key stays."""

from __future__ import annotations

import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import converge, errors, firewall


class ActionModule(LambdaAction):
    """One ruleset, by its name and region. Its rules are ours, so they are as declared and no others."""

    SPEC: t.ClassVar[dict[str, t.Any]] = {
        "name": {"type": "str", "required": True},
        "region": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "rules": results.RULES,
    }
    RULES: t.ClassVar[dict[str, t.Any]] = {"required_if": [("state", "present", ("rules",))]}

    def execute(self, client, options):
        self.label = f"firewall ruleset named {options['name']} in {options['region']}"
        if options["state"] == "absent":
            found = self.find(client, options)
            if found:
                self.delete(client, found)
            return results.outcome(for_diff(options, found.rules) if found else {}, {}, ruleset={})
        wanted = firewall.rules_from_options(options["rules"])
        seen = []

        def read():
            seen.append(self.find(client, options))
            return seen[-1].rules if seen[-1] else None

        def merge(there):
            after = firewall.exact(there, wanted)
            firewall.check_size(there, after, f"The {self.label}")
            return after

        def write(rules):
            if seen[-1]:
                client.set_ruleset_rules(seen[-1].id, rules)
            else:
                client.add_ruleset(options["name"], options["region"], rules)

        rules = (
            merge(read() or [])
            if self.is_check
            else converge.converge(f"The {self.label}", read, write, merge, client.pause)
        )
        before, after = seen[0], seen[-1] or firewall.Ruleset("", options["name"], options["region"], rules, "", ())
        return results.outcome(
            for_diff(options, before.rules) if before else {},
            for_diff(options, rules),
            ruleset={**results.ruleset(after), "rules": firewall.shown(rules)},
        )

    def find(self, client, options):
        """The account's ruleset of exactly this name in this region."""
        return results.only(
            results.matching(client.rulesets(), name=options["name"], region=options["region"]), self.label
        )

    def delete(self, client, found):
        """Refuse while instances use it, by their names, and in check mode too."""
        if found.instance_ids:
            known = {item.id: item for item in client.instances()}
            using = ", ".join(results.named([known[item]]) if item in known else item for item in found.instance_ids)
            raise errors.CloudError(
                f"The {self.label} is in use by {using}: it can only be deleted when these are terminated. "
                "Nothing was changed."
            )
        if not self.is_check:
            client.delete_ruleset(found.id)


def for_diff(options, rules):
    """What of it is declared."""
    return {"name": options["name"], "region": options["region"], "rules": firewall.shown(rules)}
