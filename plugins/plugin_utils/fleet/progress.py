# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a fleet says of itself: before it spends, while it waits, and when it gives up."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import models
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.clock import Clock

from . import plan
from .launch_terms import LaunchTerms
from .launcher import Launcher
from .ledger import Ledger
from .readiness import Readiness
from .spec import EndSpec, FleetSpec

QUIET = 15.0  # seconds between two lines of progress that only repeat themselves


class Progress:
    """Of a fleet that ends. `tell` gets the lines."""

    def __init__(self, spec: EndSpec, ledger: Ledger, clock: Clock, tell: t.Callable[[str], None]):
        self.spec, self.ledger, self.clock, self.tell = spec, ledger, clock, tell
        self.deadline = clock.monotonic() + spec.deadline
        self.spoken = float("-inf")

    def say(self, text: str) -> None:
        """A line now and then, with what it has cost so far."""
        now = self.clock.monotonic()
        if now - self.spoken >= QUIET or self.spoken == float("-inf"):
            self.spoken = now
            self.tell(f"{text}; ${self.ledger.dollars():.2f} so far, {max(0.0, self.deadline - now) / 60:.0f} min left")

    def standing(self, instances: t.Iterable[models.Instance], said: str = "") -> str:
        """What is paid for at this moment, as far as is known.

        These instances, and what the ledger has; else that nothing was launched, unless `said` says it already.
        """
        alive, unclear = {}, []
        with contextlib.suppress(OSError):
            alive = {
                life.id: life.node
                for life in self.ledger.lives().values()
                if life.end is None and life.terminated is None
            }
            unclear = [intent["node"] for intent in self.ledger.pending()]
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


class LaunchProgress(Progress):
    """Of a fleet that comes into being."""

    def __init__(
        self, spec: FleetSpec, ledger: Ledger, clock: Clock, readiness: Readiness, tell: t.Callable[[str], None]
    ):
        super().__init__(spec, ledger, clock, tell)
        self.fleet, self.readiness = spec, readiness

    def announce(self, made: plan.Plan, terms: LaunchTerms) -> None:
        """What it will cost, before the first launch."""
        price, size = terms.offer.price_cents_per_hour / 100, self.fleet.size
        adopted = f", {len(made.adopt)} are there already" if made.adopt else ""
        room = (
            ""
            if set(terms.regions) & set(terms.offer.regions)
            else "; the catalogue shows no capacity there at the moment"
        )
        life = (
            f"; reap.yml may end it {self.fleet.max_life / 3600:.1f} h after its first launch"
            if self.fleet.max_life
            else ""
        )
        later = f", {len(made.later)} of them later" if made.later else ""
        self.tell(
            f"launching {len(made.missing)} x {self.fleet.instance_type} in {' or '.join(terms.regions)} at "
            f"${price:.2f}/h each{adopted}: "
            f"${price * size:.2f}/h for the fleet of {size}{later}{room}{life}"
        )

    def report(self, made: plan.Plan, waiting: set[str], launcher: Launcher | None) -> None:
        """How far it is; `launcher` knows how the last launches went, if there were any."""
        size = self.fleet.size - len(made.later)
        won = len(
            {life.node for life in self.ledger.lives().values() if life.terminated is None and life.gone is None}
            | set(made.adopt)
        )
        late = [node for node, instance in made.adopt.items() if not self.readiness.is_ready(instance)]
        if not made.missing:
            ready = len(made.adopt) - len(late)
            self.say(
                f"{ready} of {size} nodes answer on ssh; waiting for "
                f"{', '.join(late[:4])}{' and others' if len(late) > 4 else ''}"
            )
        elif launcher and launcher.reason:
            refused = f"refused {launcher.refused} times, the last time: " if launcher.refused else ""
            self.say(f"won {won} of {size}; {refused}{launcher.reason}; next try in {max(launcher.wait, 0):.0f} s")
        else:
            self.say(
                f"won {won} of {size}" + (f"; waiting for {', '.join(sorted(waiting))} to show" if waiting else "")
            )

    def late(self, nodes: dict[str, models.Instance], launcher: Launcher | None) -> str:
        """What is missing at the deadline."""
        wanted = plan.node_names(self.fleet.name, 1 if self.fleet.launch == "head" else self.fleet.size)
        missing = [node for node in wanted if node not in nodes]
        silent = [
            f"{node} ({instance.status}, {self.readiness.address(instance) or 'no address'})"
            for node, instance in nodes.items()
            if not self.readiness.is_ready(instance)
        ]
        parts = []
        if missing:
            refused = (
                f" (refused {launcher.refused} times, the last for: {launcher.reason})"
                if launcher and launcher.reason
                else ""
            )
            parts.append(f"{', '.join(missing)} could not be launched{refused}")
        if silent:
            parts.append(f"these do not answer on ssh: {', '.join(silent)}")
        return (
            f"After {self.fleet.deadline:.0f} s fleet {self.fleet.name} is not complete: "
            f"{'; '.join(parts) or 'the API did not answer'}."
        )
