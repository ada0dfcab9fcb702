# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a declared fleet and the instances of an account make to do. Pure."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models

# Tags of every instance that is launched here; nothing else says whose it is.
FLEET, NODE, RUN = "gh200:fleet", "gh200:node", "gh200:run"
LAUNCHED, EXPIRES = "gh200:launched", "gh200:expires"  # seconds since 1970


class PlanError(errors.CloudError):
    """Why the fleet cannot be brought to what was declared, in one sentence."""


@dataclasses.dataclass(frozen=True)
class Broken:
    """An instance that must go, and why."""

    instance: models.Instance
    why: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """Nodes that are there, nodes that are not, instances to terminate because they are broken or too many.

    `later` are nodes that are not there either, and are left to a later run.
    """

    adopt: dict[str, models.Instance]
    missing: list[str]
    replace: list[Broken]
    surplus: list[models.Instance]
    later: list[str]

    @property
    def to_pay(self) -> int:
        """Number of nodes that are still to come, now or later."""
        return len(self.missing) + len(self.later)

    @property
    def launch(self) -> list[str]:
        """Missing nodes whose broken instance is out of the way: at no moment are there two of a node."""
        waiting = {broken.instance.tags.get(NODE) for broken in self.replace}
        return [node for node in self.missing if node not in waiting]


def node_names(fleet: str, size: int) -> list[str]:
    """r1-00, r1-01 and so on; 00 is the head."""
    return [f"{fleet}-{number:02d}" for number in range(size)]


def members(fleet: str, instances: list[models.Instance]) -> list[models.Instance]:
    """Instances that carry this fleet's tag, to the letter, and are not gone."""
    return [instance for instance in instances if instance.tags.get(FLEET) == fleet and not instance.is_gone]


def stamp(instance: models.Instance, tag: str) -> float | None:
    """A time that was written into a tag at launch (seconds since 1970), or None."""
    text = instance.tags.get(tag, "")
    return float(text) if re.fullmatch(r"\d{1,11}(\.\d+)?", text) else None


def require_members(
    fleet: str, instances: list[models.Instance], ids: t.Iterable[str], known: t.Container[str]
) -> None:
    """Raises PlanError for ids that are no node of this fleet.

    One that was (its tag or the ledger, `known`, says so) and is gone is none to miss.
    """
    ours, listed = members(fleet, instances), {instance.id: instance for instance in instances}
    mine = {instance.id for instance in ours}
    strange = [
        wanted
        for wanted in ids
        if wanted not in mine and not (listed[wanted].tags.get(FLEET) == fleet if wanted in listed else wanted in known)
    ]
    if strange:
        nodes = ", ".join(
            f"{instance.tags.get(NODE)} ({instance.id})"
            for instance in sorted(ours, key=lambda node: node.tags.get(NODE, ""))
        )
        raise PlanError(
            f"replace has {', '.join(strange)}, which is not a node of fleet {fleet}; "
            f"its nodes are {nodes or 'none'}. Correct replace; nothing was changed."
        )


def trouble(instance: models.Instance, now: float, boot_deadline: float) -> str:
    """Why this instance must be replaced; empty when it need not be."""
    if instance.status in models.BROKEN:
        return instance.status
    launched = stamp(instance, LAUNCHED)
    if instance.status == "booting" and launched is not None and now - launched > boot_deadline:
        return f"booting for {(now - launched) / 60:.0f} min"
    return ""


def make(
    fleet: str,
    size: int,
    instances: list[models.Instance],
    now: float = 0.0,
    boot_deadline: float = 1e9,
    replace: t.Container[str] = (),
    launch: str = "all",
) -> Plan:
    """Adopt what is there, name what is missing.

    `now` is seconds since 1970, `boot_deadline` seconds; `replace` are ids that somebody found bad; with `launch` head
    all that is missing beside the head is for later.
    """
    wanted, broken = node_names(fleet, size), []
    by_node: dict[str, list[models.Instance]] = {}
    for instance in members(fleet, instances):
        node = instance.tags.get(NODE, "")
        why = trouble(instance, now, boot_deadline) or ("found bad" if instance.id in replace else "")
        if not re.fullmatch(rf"{re.escape(fleet)}-\d{{2,}}", node):
            raise PlanError(
                f"The instance {instance.id} carries the tag of fleet {fleet}, but '{node}' is no node of it, "
                "so it was not launched here. "
                "Terminate it, or give the fleet another name; nothing was changed."
            )
        if why:
            broken.append(Broken(instance, why))
        else:
            by_node.setdefault(node, []).append(instance)
    _require_one_each(fleet, by_node)
    adopt = {node: by_node[node][0] for node in wanted if node in by_node}
    surplus = [found[0] for node, found in sorted(by_node.items()) if node not in wanted]
    missing = [node for node in wanted if node not in adopt]
    later = [node for node in missing if launch == "head" and node != wanted[0]]
    return Plan(adopt, [node for node in missing if node not in later], broken, surplus, later)


def _require_one_each(fleet: str, by_node: dict[str, list[models.Instance]]) -> None:
    for node, found in sorted(by_node.items()):
        if len(found) > 1:
            raise PlanError(
                f"Two instances say that they are {node} of fleet {fleet}: "
                f"{', '.join(sorted(instance.id for instance in found))}. "
                "Terminate the one that you do not want by its id; nothing was changed."
            )
