# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the user wants of a fleet, and why it cannot be had."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors


MOST = 315_360_000  # ten years in seconds; a stamp of a later end would not be read again


class FleetError(errors.CloudError):
    """Why the fleet is not what was declared, in one sentence, and what is running now."""


@dataclasses.dataclass(frozen=True)
class FleetSpec:
    """A fleet as it should be. Times are seconds, prices dollars per hour; 0 is no limit."""

    name: str
    size: int = 0
    instance_type: str = "gpu_1x_gh200"
    regions: tuple[str, ...] = ()
    ssh_key: str = ""
    filesystems: tuple[str, ...] = ()
    firewall_rulesets: tuple[str, ...] = ()
    image_family: str = "lambda-stack-22-04"
    connect_with: str = "public"
    user_data: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    accept_host_keys: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    allow_shrink: bool = False
    wait_for_ssh: bool = True
    max_price: float = 0.0
    max_fleet_price: float = 0.0
    max_life: float = 0.0
    deadline: float = 3600.0
    boot_deadline: float = 1200.0
    poll_interval: float = 5.0
    settle_time: float = 30.0
    blind_interval: float = 300.0
    resend_interval: float = 60.0


def require_numbers(options: dict[str, t.Any], declared: dict[str, dict[str, t.Any]]) -> None:
    """Raises FleetError for a time or price that no clock and no wallet knows: NaN, below 0, above MOST."""
    for name in (name for name, option in declared.items() if option["type"] == "float"):
        if not 0 <= options[name] <= MOST:
            raise FleetError(f"{name} is {options[name]:g}, and must be a number from 0 to {MOST}. Nothing was changed.")
