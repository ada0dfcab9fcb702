# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ends a fleet, or some nodes of it, and goes on until nothing of that is left that is paid for."""

from __future__ import annotations

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models

from . import host_keys, plan, present, state_dir
from .spec import FleetError


def members(running: present.Fleet) -> list[models.Instance]:
    """What carries the fleet's tag and is not gone."""
    return plan.members(running.spec.name, running.cloud.instances())


def absent(running: present.Fleet, only: set[str] | None = None) -> list[str]:
    """Terminate the fleet, or the instances of it with these ids, and wait until the API shows none of them; the ids that were terminated.

    Raises FleetError at the deadline, naming what may still be paid for.
    """
    running.ledger.complain = running.say
    running.open_books()
    ended: dict[str, models.Instance] = {}
    while True:
        try:
            left = step(running, ended, only)
            if not left:
                break
            running.progress.say(f"waiting for {', '.join(left[:4])}{' and others' if len(left) > 4 else ''} to be gone")
        except errors.LambdaError as error:
            if not error.is_passing:
                raise
            left = ["what the API did not show"]
            running.progress.say(f"{error} Trying on.")
        if running.clock.monotonic() >= running.deadline:
            running.look_after()
            raise FleetError(
                f"After {running.spec.deadline:.0f} s these are still there and may be paid for: {', '.join(left)}. "
                "Run teardown again, then look at the website."
            )
        running.clock.sleep(min(running.spec.poll_interval, max(0.0, running.deadline - running.clock.monotonic())))
    try:
        if only is None:
            running.keys.forget_all()
        for instance in ended.values():
            running.keys.forget(host_keys.name_of(instance))
    except OSError as error:
        running.say(f"{state_dir.reason(error)}: keys of nodes that are gone are left there.")
    return list(ended)


def step(running: present.Fleet, ended: dict[str, models.Instance], only: set[str] | None) -> list[str]:
    """One look; tells the living to end. What is left, in words."""
    listed = running.cloud.instances()
    waiting = running.reconcile(listed)
    left, named = [], set()
    for instance in listed:
        if instance.tags.get(plan.FLEET) != running.spec.name or instance.status == "terminated" or only is not None and instance.id not in only:
            continue
        left.append(f"{instance.tags.get(plan.NODE)} ({instance.id}, {instance.status})")
        named.add(instance.tags.get(plan.NODE))
        if not instance.is_gone:
            running.terminate(instance, "" if only is None else "past its life")
            ended.setdefault(instance.id, instance)
    if only is not None:
        return left
    return left + [f"{node} (its launch is not clear yet)" for node in sorted(waiting) if node not in named]
