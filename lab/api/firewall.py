# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for all instances, and rulesets of a region that a launch may name."""

from __future__ import annotations

from . import audit, catalogue, requests
from .clock import stamp
from .cloud import Cloud
from .errors import ApiError
from .store import new_id


def plain(rules: list[requests.Rule]) -> list[dict]:
    """As the API shows them: icmp has no port_range."""
    return [rule.model_dump(mode="json", exclude_none=True) for rule in rules]


def rules(cloud: Cloud) -> list[dict]:
    """Those for all instances."""
    with cloud.lock:
        return list(cloud.store.firewall_rules)


def replace(cloud: Cloud, body: requests.Rules) -> list[dict]:
    """All of them at once: what is not in the request is gone."""
    with cloud.lock:
        cloud.store.firewall_rules[:] = plain(body.data)
        _noted(cloud, "firewall_rule", "updated", ["global"])
        return list(cloud.store.firewall_rules)


def global_ruleset(cloud: Cloud) -> dict:
    """The same rules, as a ruleset."""
    return {"id": "global", "name": "Global rules", "rules": rules(cloud)}


def change_global(cloud: Cloud, body: requests.GlobalChange) -> dict:
    """Replace its rules, if the request has any."""
    with cloud.lock:
        if body.rules is not None:
            replace(cloud, requests.Rules(data=body.rules))
        return global_ruleset(cloud)


def rulesets(cloud: Cloud) -> list[dict]:
    """All of them, but the global one."""
    with cloud.lock:
        cloud.tick()
        return [shown(cloud, ruleset) for ruleset in cloud.store.firewall_rulesets.values()]


def ruleset(cloud: Cloud, ruleset_id: str) -> dict:
    """One of them."""
    with cloud.lock:
        cloud.tick()
        return shown(cloud, _get(cloud, ruleset_id))


def add(cloud: Cloud, body: requests.Ruleset) -> dict:
    """Create one; names need not differ."""
    with cloud.lock:
        if body.region not in catalogue.REGIONS:
            raise ApiError("global/invalid-parameters", f"Region {body.region} does not exist.")
        if len(cloud.store.firewall_rulesets) >= cloud.config.ruleset_quota:
            raise ApiError("global/quota-exceeded")
        now = cloud.clock.now()
        made = {"id": new_id(), "name": body.name, "region": catalogue.region(body.region), "rules": plain(body.rules), "created": stamp(now)}
        cloud.store.firewall_rulesets[made["id"]] = made
        cloud.store.created[made["id"]] = now
        _noted(cloud, "firewall_ruleset", "created", [made["id"]])
        return shown(cloud, made)


def change(cloud: Cloud, ruleset_id: str, body: requests.RulesetChange) -> dict:
    """Its name, its rules, or both; rules are replaced."""
    with cloud.lock:
        cloud.tick()
        found = _get(cloud, ruleset_id)
        if body.name is not None:
            found["name"] = body.name
        if body.rules is not None:
            found["rules"] = plain(body.rules)
        _noted(cloud, "firewall_ruleset", "updated", [ruleset_id])
        return shown(cloud, found)


def delete(cloud: Cloud, ruleset_id: str) -> dict:
    """Delete one that no instance uses."""
    with cloud.lock:
        cloud.tick()
        if shown(cloud, _get(cloud, ruleset_id))["instance_ids"]:
            raise ApiError("firewall-rulesets/firewall-ruleset-in-use")
        del cloud.store.firewall_rulesets[ruleset_id]
        _noted(cloud, "firewall_ruleset", "deleted", [ruleset_id])
        return {}


def shown(cloud: Cloud, found: dict) -> dict:
    """With the instances that have it, until they have terminated."""
    entry = {"id": found["id"]}
    users = [item["id"] for item in cloud.store.instances.values() if item["status"] != "terminated" and entry in item.get("firewall_rulesets", ())]
    return found | {"instance_ids": users}


def _get(cloud: Cloud, ruleset_id: str) -> dict:
    try:
        return cloud.store.firewall_rulesets[ruleset_id]
    except KeyError:
        raise ApiError("global/object-does-not-exist", "Specified firewall ruleset does not exist.") from None


def _noted(cloud: Cloud, resource: str, action: str, ids: list[str]) -> None:
    audit.note(cloud.store, cloud.clock.now(), resource, action, ids)
    cloud.store.save()
