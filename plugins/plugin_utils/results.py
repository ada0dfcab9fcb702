# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules for single things of an account have in common: how they look in results, and how they are found and
made.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import overview, plan
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, firewall, models


class Identified(t.Protocol):
    """What the account tells apart by an id."""

    @property
    def id(self) -> str: ...


Thing = t.TypeVar("Thing", bound=Identified)

TRIES = 6

# The option `rules` of the firewall's modules.
RULES: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "protocol": {"type": "str", "choices": ["tcp", "udp", "icmp", "all"], "required": True},
        "port_range": {"type": "list", "elements": "int"},
        "source_network": {"type": "str", "required": True},
        "description": {"type": "str"},
    },
}


def outcome(before: t.Any, after: t.Any, **more: t.Any) -> dict[str, t.Any]:
    """The result of a task: changed if before and after differ.

    Both have only what is declared, so that a check can predict them; nothing is empty.
    """
    return {"changed": before != after, "diff": {"before": before or "", "after": after or ""}, **more}


def only(found: list[Thing], what: str) -> Thing | None:
    """The one, or None. Two are an error and never a choice."""
    if len(found) > 1:
        ids = ", ".join(item.id for item in found)
        raise errors.CloudError(
            f"There is more than one {what}: {ids}. Remove the one that you do not want; nothing was changed."
        )
    return found[0] if found else None


def create(
    ask: t.Callable[[], Thing],
    look: t.Callable[[], Thing | None],
    what: str,
    pause: t.Callable[[int, errors.LambdaError], bool],
) -> Thing:
    """Ask once. If it is not known whether that was heard, look before anything else.

    After a 429 there is a pause before the look, and where that shows nothing it is asked again, TRIES times in all.
    `pause` is that of the client.
    """
    for attempt in range(TRIES):
        try:
            return ask()
        except errors.LambdaError as error:
            if not error.is_ambiguous:
                raise
            again = error.kind == "rate" and attempt + 1 < TRIES and pause(attempt, error)
            found = look()
            if found is not None:
                return found
            if not again:
                raise errors.CloudError(
                    f"{error.said} The account shows no {what} at this moment: run this again."
                ) from error
    raise AssertionError("unreachable")


def instance(item: models.Instance) -> dict[str, t.Any]:
    """An instance as modules return it, and with lambda_ before each key, the inventory.

    Prices are dollars; times are UTC, or None where no tag tells.
    """
    return {
        "id": item.id,
        "name": item.name,
        "status": item.status,
        "ip": item.ip,
        "private_ip": item.private_ip,
        "hostname": item.hostname,
        "region": item.region,
        "instance_type": item.instance_type,
        "architecture": item.architecture,
        "gpus": item.gpus,
        "price_per_hour": item.price_cents_per_hour / 100,
        "ssh_key_names": list(item.ssh_keys),
        "file_system_names": list(item.filesystems),
        "tags": dict(item.tags),
        "fleet": item.tags.get(plan.FLEET, ""),
        "node": item.tags.get(plan.NODE, ""),
        "launched": overview.iso(plan.stamp(item, plan.LAUNCHED)),
        "expires": overview.iso(plan.stamp(item, plan.EXPIRES)),
    }


def instance_type(item: models.Offer) -> dict[str, t.Any]:
    """An instance type as modules return it."""
    result = dataclasses.asdict(item)
    result["price_per_hour"] = result.pop("price_cents_per_hour") / 100
    result["regions"] = list(item.regions)
    return result


def filesystem(item: models.Filesystem) -> dict[str, t.Any]:
    """A filesystem as modules return it."""
    return {**dataclasses.asdict(item), "dollars_per_month": item.dollars_per_month}


def ruleset(item: firewall.Ruleset) -> dict[str, t.Any]:
    """A firewall ruleset as modules return it."""
    return {
        "id": item.id,
        "name": item.name,
        "region": item.region,
        "rules": firewall.shown(item.rules),
        "created": item.created,
        "instance_ids": list(item.instance_ids),
    }


def matching(items: t.Iterable[Thing], **wanted: t.Any) -> list[Thing]:
    """Those whose attributes are exactly these; None is any."""
    return [
        item for item in items if all(value is None or getattr(item, name) == value for name, value in wanted.items())
    ]


def named(instances: t.Iterable[models.Instance]) -> str:
    """Instances in a sentence."""
    return ", ".join(f"{item.name} ({item.id})" if item.name else item.id for item in instances)
