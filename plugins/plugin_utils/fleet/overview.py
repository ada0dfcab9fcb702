# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an account runs, by fleet, with age, cost and end.

From the API's list alone, so that any machine with the key can tell. Pure.
"""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import models

from . import plan


def iso(seconds: float | None) -> str | None:
    """A time as people and programs read it (UTC), or None: also for one that no calendar has, since a stranger may
    have written the tag.
    """
    try:
        return (
            None
            if seconds is None
            else datetime.datetime.fromtimestamp(int(seconds), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        )
    except (OverflowError, OSError, ValueError):
        return None


def node(instance: models.Instance, now: float) -> dict[str, t.Any]:
    """One instance: minutes, dollars since its launch (an upper bound of what is billed), and its end if it has one."""
    launched, expires = plan.stamp(instance, plan.LAUNCHED), plan.stamp(instance, plan.EXPIRES)
    hours = None if launched is None else max(0.0, now - launched) / 3600
    return {
        "name": instance.tags.get(plan.NODE) or instance.name or instance.id,
        "id": instance.id,
        "status": instance.status,
        "instance_type": instance.instance_type,
        "region": instance.region,
        "ip": instance.ip,
        "private_ip": instance.private_ip,
        "price_per_hour": instance.price_cents_per_hour / 100,
        "launched": iso(launched),
        "age_minutes": None if hours is None else round(hours * 60, 1),
        "dollars": None if hours is None else round(hours * instance.price_cents_per_hour / 100, 2),
        "expires": iso(expires),
        "minutes_left": None if expires is None else round((expires - now) / 60, 1),
        "is_expired": expires is not None and now > expires,
    }


def fleets(instances: list[models.Instance], now: float) -> list[dict[str, t.Any]]:
    """The fleets of this collection, by name, with what is not gone."""
    names = sorted(
        {instance.tags[plan.FLEET] for instance in instances if instance.tags.get(plan.FLEET) and not instance.is_gone}
    )
    found = []
    for name in names:
        nodes = sorted(
            (node(instance, now) for instance in plan.members(name, instances)),
            key=lambda item: (item["name"], item["id"]),
        )
        left = [item["minutes_left"] for item in nodes if item["minutes_left"] is not None]
        found.append(
            {
                "name": name,
                "nodes": nodes,
                "size": len(nodes),
                "price_per_hour": round(sum(item["price_per_hour"] for item in nodes), 2),
                "dollars": round(sum(item["dollars"] or 0 for item in nodes), 2),
                "minutes_left": min(left, default=None),
            }
        )
    return found


def others(instances: list[models.Instance], now: float) -> list[dict[str, t.Any]]:
    """Instances that no fleet of this collection has; they are shown and never touched."""
    return [node(instance, now) for instance in instances if not instance.tags.get(plan.FLEET) and not instance.is_gone]


def expired(instances: list[models.Instance], now: float, name: str = "") -> list[models.Instance]:
    """Nodes past the end that was stamped on them at launch; of one fleet, if `name` is given."""
    return [
        instance
        for instance in instances
        if not instance.is_gone
        and instance.tags.get(plan.FLEET)
        and name in ("", instance.tags[plan.FLEET])
        and (stamp := plan.stamp(instance, plan.EXPIRES)) is not None
        and now > stamp
    ]
