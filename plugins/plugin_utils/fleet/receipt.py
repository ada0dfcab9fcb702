# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet has cost, and what of the account still costs. Pure."""

from __future__ import annotations

import dataclasses
import math
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import models

from . import overview, plan
from .history import Life


def at_least(dollars: float, digits: int) -> float:
    """Rounded up, for a bound stays one."""
    unit = 10.0**digits
    return math.ceil(dollars * unit - 1e-6) / unit


def rows(lives: t.Iterable[Life], alive: t.Container[str], now: float) -> list[dict[str, t.Any]]:
    """A line for each instance that the fleet had.

    A minute that was begun counts whole, from the launch on: an upper bound of the bill.

    `alive` are ids that the account shows at this moment, whatever was seen before.
    """
    found = []
    for life in sorted(lives, key=lambda item: (item.node, item.begin)):
        if life.id in alive:
            life = dataclasses.replace(life, terminated=None, ending=None, gone=None)
        minutes = math.ceil(life.seconds(now) / 60)
        found.append(
            {
                "node": life.node,
                "id": life.id,
                "instance_type": life.instance_type,
                "region": life.region,
                "from": overview.iso(life.begin),
                "to": overview.iso(life.end),
                "minutes": minutes,
                "price_per_hour": life.price_cents_per_hour / 100,
                "dollars": at_least(minutes * life.price_cents_per_hour / 6000, 4),
                "why": life.why,
            }
        )
    return found


def make(
    fleet: str,
    lives: t.Iterable[Life],
    instances: list[models.Instance],
    account: dict[str, t.Any],
    now: float,
    unread: int = 0,
) -> dict[str, t.Any]:
    """The receipt.

    `unread` is the number of the ledger's lines that could not be read. `account` has what else costs or may be in
    the way: filesystems, ssh_keys, firewall_rules, firewall_rulesets.
    """
    members = plan.members(fleet, instances)
    nodes = rows(lives, {instance.id for instance in members}, now)
    ours = [overview.node(instance, now) for instance in members]
    rest = [
        overview.node(instance, now) | {"fleet": instance.tags.get(plan.FLEET, "")}
        for instance in instances
        if not instance.is_gone and instance.tags.get(plan.FLEET) != fleet
    ]
    return {
        "fleet": fleet,
        "made": overview.iso(now),
        "complete": not ours and all(row["to"] for row in nodes),
        "nodes": nodes,
        "total": {
            "instances": len(nodes),
            "minutes": sum(row["minutes"] for row in nodes),
            "dollars": at_least(sum(row["dollars"] for row in nodes), 2),
        },
        "unread_lines": unread,
        "still_ours": ours,
        "not_ours": rest,
        **account,
    }


def account(
    filesystems: list[models.Filesystem], ssh_keys: list[str], rules: list[t.Any], rulesets: list[t.Any]
) -> dict[str, t.Any]:
    """What an account has beside instances. Filesystems cost by the month, whether they are used or not."""
    return {
        "filesystems": [
            {
                "name": item.name,
                "id": item.id,
                "region": item.region,
                "is_in_use": item.is_in_use,
                "dollars_per_month": item.dollars_per_month,
            }
            for item in filesystems
        ],
        "ssh_keys": sorted(ssh_keys),
        "firewall_rules": len(rules),
        "firewall_rulesets": sorted(f"{item.name} ({item.region})" for item in rulesets),
    }


def sentences(made: dict[str, t.Any]) -> list[str]:
    """The receipt for people, a line each."""
    total, lines = made["total"], []
    if made["nodes"]:
        lines.append(
            f"fleet {made['fleet']}: {total['instances']} instances, {total['minutes']} minutes, "
            f"${total['dollars']:.2f} at most"
        )
    else:
        lines.append(f"fleet {made['fleet']}: nothing has run since the last receipt")
    if made["unread_lines"]:
        lines.append(
            f"{made['unread_lines']} lines of the ledger could not be read (see ledger.odd): what only they told "
            "of is not counted"
        )
    for item in made["still_ours"]:
        lines.append(
            f"STILL PAID FOR: {item['name']} ({item['id']}, {item['status']}), ${item['price_per_hour']:.2f}/h"
        )
    for item in made["not_ours"]:
        owner = f"of fleet {item['fleet']}" if item["fleet"] else "not ours"
        lines.append(
            f"also running, {owner}: {item['name']} ({item['id']}, {item['status']}), ${item['price_per_hour']:.2f}/h"
        )
    for item in made["filesystems"]:
        cost = "an unknown sum" if item["dollars_per_month"] is None else f"about ${item['dollars_per_month']:.2f}"
        lines.append(
            f"filesystem {item['name']} in {item['region']} goes on to cost {cost} a month, attached or not (by "
            "the API's figure, which is hours old)"
        )
    lines.append(
        f"free of charge: {len(made['ssh_keys'])} ssh keys, {made['firewall_rules']} firewall rules for all instances, "
        f"{len(made['firewall_rulesets'])} firewall rulesets"
    )
    return lines
