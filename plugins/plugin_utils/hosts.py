# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From instances to hosts: names, variables, groups. Pure, and plain JSON on both sides."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import results
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import plan
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import models

HEAD, WORKERS, NOT_READY = "head", "workers", "lambda_not_ready"
READY = "active"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The cheap filters. What is empty lets everything pass."""

    fleet: str = ""
    statuses: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()

    def takes(self, instance: models.Instance) -> bool:
        """Whether it is one of these; the status is asked by itself. What is terminated never is."""
        return (
            not instance.is_gone
            and self.fleet in ("", instance.tags.get(plan.FLEET))
            and (not self.regions or instance.region in self.regions)
            and (not self.instance_types or instance.instance_type in self.instance_types)
        )

    def has_status(self, instance: models.Instance) -> bool:
        """Whether its status is wanted."""
        return not self.statuses or instance.status in self.statuses


def parse(raw: t.Any) -> list[models.Instance]:
    """Instances in an order that stays the same from call to call: by name, then the older first.

    Raises ValueError for what the API never says.
    """
    try:
        instances = [models.Instance.parse(item) for item in raw]
        if not isinstance(raw, list) or not all(
            isinstance(item["id"], str) and item["id"] and _is_text(instance)
            for item, instance in zip(raw, instances, strict=False)
        ):
            raise ValueError("not a list of instances")
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a list of instances ({type(error).__name__}: {error})") from error
    return sorted(
        instances,
        key=lambda instance: (default_name(instance), plan.stamp(instance, plan.LAUNCHED) or float("inf"), instance.id),
    )


def default_name(instance: models.Instance) -> str:
    """The node's name in its fleet, else its own, else its id."""
    return clean(instance.tags.get(plan.NODE, "")) or clean(instance.name) or clean(instance.id) or "unnamed"


def clean(name: str) -> str:
    """The name without what a file beside the inventory cannot have in its name, as for host_vars; empty where nothing
    is left.
    """
    text = re.sub(r"[/\\\x00-\x1f\x7f]", "_", name).strip()
    return text if text.strip(".") else ""


def unique(name: str, instance: models.Instance, taken: t.Container[str]) -> str:
    """The name, or with the id after it where something else has the name already."""
    while name in taken:
        name = f"{name}-{clean(instance.id)}"
    return name


def variables(instance: models.Instance, connect_with: str, state_dir: str) -> dict[str, t.Any]:
    """The host's variables. Without a valid address of that kind there is no ansible_host."""
    made: dict[str, t.Any] = {f"lambda_{key}": value for key, value in results.instance(instance).items()}
    address = instance.private_ip if connect_with == "private" else instance.ip
    if address:
        made["ansible_host"] = address
    known_hosts = known_hosts_of(made["lambda_fleet"], state_dir)
    if known_hosts:
        made["ansible_ssh_common_args"] = (
            f"-o {shlex.quote(f'UserKnownHostsFile={known_hosts}')} -o StrictHostKeyChecking=yes"
        )
    return made


def known_hosts_of(fleet: str, state_dir: str) -> str:
    """Path of the fleet's known_hosts as ssh wants it written, or empty where there is none.

    A tag of a stranger leads nowhere else.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", fleet):
        return ""
    path = os.path.join(state_dir, fleet, "known_hosts")
    if not os.path.exists(path):
        return ""
    path = path.replace("%", "%%")
    return f'"{path}"' if re.search(r"\s", path) else path


def groups(instance: models.Instance, with_roles: bool = True) -> list[str]:
    """Its groups; `with_roles` is whether head and workers are meant."""
    fleet, node = instance.tags.get(plan.FLEET, ""), instance.tags.get(plan.NODE, "")
    found = []
    if fleet and node:
        found = [HEAD if node == f"{fleet}-00" else WORKERS] if with_roles else []
        found.append(fleet_group(fleet))
    return found if instance.status == READY else [*found, NOT_READY]


def fleet_group(fleet: str) -> str:
    """gh200_ and the fleet's name, with an underscore for what the name of a group cannot have."""
    return re.sub(r"\W", "_", f"gh200_{fleet}")


def fleets(instances: t.Iterable[models.Instance]) -> list[str]:
    """Fleets that have nodes among these."""
    return sorted(
        {
            instance.tags[plan.FLEET]
            for instance in instances
            if instance.tags.get(plan.FLEET) and instance.tags.get(plan.NODE)
        }
    )


def is_harmless(text: str) -> bool:
    """Whether no template can be in it, whatever it is put together with."""
    return "{" not in text and not text.startswith("#jinja2:")


def _is_text(instance: models.Instance) -> bool:
    """Whether names are text, in an answer that may come from a file that others wrote."""
    texts = (
        instance.name,
        instance.status,
        instance.hostname,
        instance.region,
        instance.instance_type,
        *instance.ssh_keys,
        *instance.filesystems,
    )
    return all(isinstance(text, str) for text in (*texts, *instance.tags, *instance.tags.values()))
