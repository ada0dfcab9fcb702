# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet says of itself: before it spends, while it waits, and when it gives up."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import models

from . import plan

if t.TYPE_CHECKING:
    from .present import Fleet

QUIET = 15.0  # seconds between two lines of progress that only repeat themselves


class Progress:
    """Sentences about one fleet."""

    def __init__(self, fleet: Fleet):
        self.fleet = fleet
        self.spoken = float("-inf")

    def announce(self, made: plan.Plan) -> None:
        """What it will cost, before the first launch."""
        fleet = self.fleet
        terms, size = fleet.launcher.terms, fleet.spec.size
        price = terms.offer.price_cents_per_hour / 100
        adopted = f", {len(made.adopt)} are there already" if made.adopt else ""
        room = "" if set(terms.regions) & set(terms.offer.regions) else "; the catalogue shows no capacity there at the moment"
        life = f"; reap.yml may end it {fleet.spec.max_life / 3600:.1f} h after its first launch" if fleet.spec.max_life else ""
        fleet.say(
            f"launching {len(made.missing)} x {fleet.spec.instance_type} in {' or '.join(terms.regions)} at ${price:.2f}/h each{adopted}: "
            f"${price * size:.2f}/h for the fleet of {size}{room}{life}"
        )

    def report(self, made: plan.Plan, ready: int, waiting: set[str]) -> None:
        """How far it is."""
        fleet = self.fleet
        size, launcher = fleet.spec.size, fleet.launcher
        won = len({life.node for life in fleet.ledger.lives().values() if life.terminated is None and life.gone is None} | set(made.adopt))
        if not made.missing:
            late = [node for node, instance in made.adopt.items() if not fleet.is_ready(instance)]
            self.say(f"{ready} of {size} nodes answer on ssh; waiting for {', '.join(late[:4])}{' and others' if len(late) > 4 else ''}")
        elif launcher and launcher.reason:
            refused = f"refused {launcher.refused} times, the last time: " if launcher.refused else ""
            self.say(f"won {won} of {size}; {refused}{launcher.reason}; next try in {max(launcher.wait, 0):.0f} s")
        else:
            self.say(f"won {won} of {size}" + (f"; waiting for {', '.join(sorted(waiting))} to show" if waiting else ""))

    def say(self, text: str) -> None:
        """A line now and then, with what it has cost so far."""
        fleet = self.fleet
        if fleet.clock.monotonic() - self.spoken >= QUIET or self.spoken == float("-inf"):
            self.spoken = fleet.clock.monotonic()
            left = max(0.0, fleet.deadline - fleet.clock.monotonic())
            fleet.say(f"{text}; ${fleet.ledger.dollars():.2f} so far, {left / 60:.0f} min left")

    def late(self, nodes: dict[str, models.Instance]) -> str:
        """What is missing at the deadline."""
        fleet = self.fleet
        missing = [node for node in plan.node_names(fleet.spec.name, fleet.spec.size) if node not in nodes]
        silent = [f"{node} ({instance.status}, {fleet.address(instance) or 'no address'})" for node, instance in nodes.items() if not fleet.is_ready(instance)]
        parts = []
        if missing:
            refused = f" (refused {fleet.launcher.refused} times, the last for: {fleet.launcher.reason})" if fleet.launcher and fleet.launcher.reason else ""
            parts.append(f"{', '.join(missing)} could not be launched{refused}")
        if silent:
            parts.append(f"these do not answer on ssh: {', '.join(silent)}")
        return f"After {fleet.spec.deadline:.0f} s fleet {fleet.spec.name} is not complete: {'; '.join(parts) or 'the API did not answer'}."

    def standing(self, instances: t.Iterable[models.Instance], said: str = "") -> str:
        """What is paid for at this moment, as far as is known: these, and what the ledger has. Whether nothing was launched, if `said` does not say it."""
        fleet = self.fleet
        alive, unclear = {}, []
        with contextlib.suppress(OSError):
            alive = {life.id: life.node for life in fleet.ledger.lives().values() if life.end is None and life.terminated is None}
            unclear = [intent["node"] for intent in fleet.ledger.pending()]
        alive |= {instance.id: instance.tags.get(plan.NODE, "") for instance in instances}
        if not alive and not unclear:
            return "" if said.endswith(("launched.", "changed.")) else "Nothing was launched."
        text = ""
        if alive:
            named = [f"{node} ({instance_id})" for instance_id, node in sorted(alive.items(), key=lambda item: item[1])]
            text = f"Running and paid for: {', '.join(named)}; "
        if unclear:
            text += f"perhaps running: {', '.join(unclear)}; "
        return f"{text}run this again to go on, or teardown to end them."
