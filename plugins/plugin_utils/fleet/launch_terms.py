# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What launches need of the account: read, and refused in one sentence, before the first one is paid for."""

from __future__ import annotations

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import models
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.client import Client

from .spec import FleetError, FleetSpec


class LaunchTerms:
    """The catalogue's offer, where it may be launched, and what goes into every launch."""

    def __init__(self, client: Client, wanted: FleetSpec, adopted: list[models.Instance]):
        self.wanted = wanted
        self.regions = self._regions(client, [instance.region for instance in adopted])
        keys = [key.name for key in client.ssh_keys()]
        if keys.count(wanted.ssh_key_name) != 1:
            known = f"it has {', '.join(sorted(keys))}" if keys else "it has none"
            how = "more than one ssh key" if keys.count(wanted.ssh_key_name) > 1 else "no ssh key"
            raise FleetError(
                f"The account has {how} named '{wanted.ssh_key_name}' ({known}): set ssh_key_name. "
                "Nothing was launched."
            )
        self.rulesets = self._rulesets(client)
        self.offer = self.look(client)

    def look(self, client: Client) -> models.Offer:
        """The catalogue as it is now: price, and regions that show capacity."""
        offers = client.offers()
        if self.wanted.instance_type not in offers:
            raise FleetError(
                f"There is no instance type {self.wanted.instance_type}; Lambda offers {', '.join(sorted(offers))}. "
                "Nothing was launched."
            )
        self.offer = offers[self.wanted.instance_type]
        return self.offer

    def require_price(self, running: list[models.Instance], missing: int) -> None:
        """Raises FleetError when the next launch would go over a ceiling."""
        price, wanted = self.offer.price_cents_per_hour / 100, self.wanted
        if wanted.max_price and price > wanted.max_price:
            raise FleetError(
                f"{wanted.instance_type} costs ${price:.2f}/h now, and max_price is ${wanted.max_price:.2f}/h: "
                "raise it, or wait for a lower price. "
                "Nothing more was launched."
            )
        fleet = (
            sum(instance.price_cents_per_hour or self.offer.price_cents_per_hour for instance in running) / 100
            + price * missing
        )
        if wanted.max_fleet_price and fleet > wanted.max_fleet_price + 1e-9:
            raise FleetError(
                f"Fleet {wanted.name} would cost ${fleet:.2f}/h with {len(running) + missing} nodes at "
                f"${price:.2f}/h, and max_fleet_price is "
                f"${wanted.max_fleet_price:.2f}/h: raise it, or declare fewer nodes. Nothing more was launched."
            )

    def settle_on(self, region: str) -> None:
        """A node was won there: the others must reach it and its filesystem, so they go there too."""
        self.regions = [region]

    def _regions(self, client: Client, used: list[str]) -> list[str]:
        """Where nodes may be: as told, where every filesystem is, and where the fleet's nodes are already."""
        wanted = self.wanted
        if not wanted.region:
            raise FleetError(f"Fleet {wanted.name} needs a region: set region. Nothing was launched.")
        regions = list(wanted.region)
        places: dict[str, list[str]] = {}
        if wanted.filesystems:
            for filesystem in client.filesystems():
                places.setdefault(filesystem.name, []).append(filesystem.region)
        for name in wanted.filesystems:
            if name not in places:
                known = f"it has {', '.join(sorted(places))}" if places else "it has none"
                raise FleetError(
                    f"The account has no filesystem named {name} ({known}): create it in {regions[0]}, "
                    "or correct the name. Nothing was launched."
                )
            if not set(regions) & set(places[name]):
                raise FleetError(
                    f"The filesystem {name} is in {' and '.join(places[name])}, "
                    f"and a node in {' or '.join(regions)} cannot have it: "
                    f"set region to {places[name][0]}. Nothing was launched."
                )
            regions = [region for region in regions if region in places[name]]
        if len(set(used)) > 1:
            several = " and ".join(sorted(set(used)))
            raise FleetError(
                f"Fleet {wanted.name} has nodes in {several}; they cannot work together. "
                "Terminate those in one place. Nothing was launched."
            )
        if used and used[0] not in regions:
            raise FleetError(
                f"Fleet {wanted.name} has nodes in {used[0]}, and is declared for {' or '.join(regions)}: "
                f"set region to {used[0]}, "
                "or terminate the fleet first. Nothing was launched."
            )
        return used[:1] or regions

    def _rulesets(self, client: Client) -> dict[str, tuple[str, ...]]:
        """Ids of the wanted rulesets, for each region that has them all."""
        wanted = self.wanted.firewall_rulesets
        if not wanted:
            return {region: () for region in self.regions}
        found: dict[str, dict[str, list[str]]] = {}
        for ruleset in client.rulesets():
            found.setdefault(ruleset.region, {}).setdefault(ruleset.name, []).append(ruleset.id)
        for name in wanted:
            here = [region for region in self.regions if len(found.get(region, {}).get(name, [])) == 1]
            if not here:
                many = any(len(found.get(region, {}).get(name, [])) > 1 for region in self.regions)
                how = "more than one firewall ruleset" if many else "no firewall ruleset"
                raise FleetError(
                    f"The account has {how} named {name} in {' or '.join(self.regions)}: create it there, "
                    "or correct firewall_rulesets. Nothing was launched."
                )
            self.regions = here
        return {region: tuple(found[region][name][0] for name in wanted) for region in self.regions}
