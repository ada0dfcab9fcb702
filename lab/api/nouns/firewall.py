# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for all instances, and rulesets of a region that a launch may name."""

from __future__ import annotations

from .. import bodies, catalogue
from ..clock import stamp
from ..errors import ApiError
from ..store import Object, new_id
from ..world import World


def plain(rules: list[bodies.Rule]) -> list[Object]:
    """As the API shows them: icmp has no port_range."""
    return [rule.model_dump(mode="json", exclude_none=True) for rule in rules]


class Rules:
    """The rules for all instances. They are one thing: they have no ids, and a change replaces all."""

    def __init__(self, world: World):
        self.world = world

    def listed(self) -> list[Object]:
        """All of them."""
        with self.world.turn():
            return list(self.world.store.firewall_rules)

    def get(self) -> Object:
        """All of them, as a ruleset."""
        return {"id": "global", "name": "Global rules", "rules": self.listed()}

    def change(self, rules: list[bodies.Rule]) -> list[Object]:
        """What is not in the request is gone."""
        with self.world.turn():
            self.world.store.firewall_rules[:] = plain(rules)
            self.world.noted("firewall_rule", "updated", ["global"])
            return self.listed()

    def change_ruleset(self, body: bodies.GlobalChange) -> Object:
        """The same, where the request has any rules."""
        with self.world.turn():
            if body.rules is not None:
                self.change(body.rules)
            return self.get()


class Rulesets:
    """The rulesets of regions."""

    def __init__(self, world: World):
        self.world = world

    def listed(self) -> list[Object]:
        """All of them, but the global one."""
        with self.world.turn():
            return [self._shown(ruleset) for ruleset in self.world.store.firewall_rulesets.values()]

    def get(self, ruleset_id: str) -> Object:
        """One of them."""
        with self.world.turn():
            return self._shown(self._found(ruleset_id))

    def create(self, body: bodies.Ruleset) -> Object:
        """Create one; names need not differ."""
        with self.world.turn() as now:
            store = self.world.store
            if body.region not in catalogue.REGIONS:
                raise ApiError("global/invalid-parameters", f"Region {body.region} does not exist.")
            if len(store.firewall_rulesets) >= self.world.config.ruleset_quota:
                raise ApiError("global/quota-exceeded")
            ruleset_id = new_id()
            store.firewall_rulesets[ruleset_id] = {
                "id": ruleset_id,
                "name": body.name,
                "region": catalogue.region(body.region),
                "rules": plain(body.rules),
                "created": stamp(now),
            }
            store.created[ruleset_id] = now
            self.world.noted("firewall_ruleset", "created", [ruleset_id])
            return self.get(ruleset_id)

    def change(self, ruleset_id: str, body: bodies.RulesetChange) -> Object:
        """Its name, its rules, or both; rules are replaced."""
        with self.world.turn():
            found = self._found(ruleset_id)
            if body.name is not None:
                found["name"] = body.name
            if body.rules is not None:
                found["rules"] = plain(body.rules)
            self.world.noted("firewall_ruleset", "updated", [ruleset_id])
            return self._shown(found)

    def delete(self, ruleset_id: str) -> Object:
        """Delete one that no instance uses."""
        with self.world.turn():
            if self.get(ruleset_id)["instance_ids"]:
                raise ApiError("firewall-rulesets/firewall-ruleset-in-use")
            del self.world.store.firewall_rulesets[ruleset_id]
            self.world.noted("firewall_ruleset", "deleted", [ruleset_id])
            return {}

    def _shown(self, found: Object) -> Object:
        """With the instances that have it, until they have terminated."""
        entry, instances = {"id": found["id"]}, self.world.store.instances.values()
        return found | {
            "instance_ids": [
                item.id for item in instances if item.status != "terminated" and entry in item.firewall_rulesets
            ]
        }

    def _found(self, ruleset_id: str) -> Object:
        try:
            return self.world.store.firewall_rulesets[ruleset_id]
        except KeyError:
            raise ApiError("global/object-does-not-exist", "Specified firewall ruleset does not exist.") from None
