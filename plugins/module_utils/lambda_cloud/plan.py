# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a declared fleet and the instances of an account make to do. Pure."""

from __future__ import annotations

import dataclasses

from . import models

CLUSTER, NODE, RUN, LAUNCHED = "gh200:cluster", "gh200:node", "gh200:run", "gh200:launched"


class PlanError(Exception):
    """Why the fleet cannot be brought to what was declared, in one sentence."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """Nodes to adopt, to launch, and instances to terminate because they are broken or too many."""

    adopt: dict[str, models.Instance]
    launch: list[str]
    replace: list[models.Instance]
    surplus: list[models.Instance]


def node_names(fleet: str, size: int) -> list[str]:
    """r1-00, r1-01 and so on; 00 is the head."""
    return [f"{fleet}-{number:02d}" for number in range(size)]


def members(fleet: str, instances: list[models.Instance]) -> list[models.Instance]:
    """Instances that carry this fleet's tag, to the letter, and are not gone."""
    return [instance for instance in instances if instance.tags.get(CLUSTER) == fleet and not instance.is_gone]


def make(fleet: str, size: int, instances: list[models.Instance]) -> Plan:
    """Adopt what is there, launch what is missing."""
    by_node: dict[str, list[models.Instance]] = {}
    for instance in members(fleet, instances):
        by_node.setdefault(instance.tags.get(NODE, ""), []).append(instance)
    wanted = node_names(fleet, size)
    adopt, launch, replace, surplus = {}, [], [], []
    for node, found in by_node.items():
        broken = [instance for instance in found if instance.status in models.BROKEN]
        sound = [instance for instance in found if instance not in broken]
        replace += broken
        if node not in wanted:
            surplus += sound
        elif len(sound) > 1:
            raise PlanError(
                f"Two instances say that they are {node} of fleet {fleet}: {', '.join(instance.id for instance in sound)}. "
                "Terminate the one that you do not want by its id; nothing was changed."
            )
        elif sound:
            adopt[node] = sound[0]
    launch = [node for node in wanted if node not in adopt]
    return Plan({node: adopt[node] for node in wanted if node in adopt}, launch, replace, surplus)
