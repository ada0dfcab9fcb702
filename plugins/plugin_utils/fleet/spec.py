# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the user wants of a fleet, and why it cannot be had."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors


class FleetError(errors.CloudError):
    """Why the fleet is not what was declared, in one sentence, and what is running now."""


@dataclasses.dataclass(frozen=True)
class EndSpec:
    """What the end of a fleet needs to know.

    Every field is the option of that name; its default stands with the option. Times are seconds.
    """

    name: str
    deadline: float
    poll_interval: float
    settle_time: float
    resend_interval: float

    @classmethod
    def from_options(cls, options: dict[str, t.Any]) -> t.Self:
        """Of a module's options; lists without what is empty, and nothing for what was not given."""
        return cls(**{field.name: _plain(options[field.name], str(field.type)) for field in dataclasses.fields(cls)})


@dataclasses.dataclass(frozen=True)
class FleetSpec(EndSpec):
    """A fleet as it should be. Prices are dollars per hour; 0 is no limit."""

    size: int
    instance_type: str
    region: tuple[str, ...]
    ssh_key_name: str
    filesystems: tuple[str, ...]
    firewall_rulesets: tuple[str, ...]
    image_family: str
    user_data: dict[str, t.Any]
    accept_host_keys: tuple[str, ...]
    replace: tuple[str, ...]
    launch: str
    allow_shrink: bool
    connect_with: str
    wait_for_ssh: bool
    max_price: float
    max_fleet_price: float
    max_life: float
    boot_deadline: float
    max_replacements: int
    blind_interval: float


def _plain(value: t.Any, kind: str) -> t.Any:
    if isinstance(value, (list, tuple)):
        return tuple(filter(None, value))
    return {"str": "", "int": 0}.get(kind, value) if value is None else value
