# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test may do to the account from outside: a command is one key, its name, and what belongs to it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

from . import catalogue
from .cloud import Cloud
from .config import ApiConfig
from .faults import Fate, Fault

T = TypeVar("T")
SETTINGS = (
    "boot_seconds",
    "address_seconds",
    "terminate_seconds",
    "retention_seconds",
    "release_seconds",
    "request_interval",
    "launch_interval",
    "quota",
    "filesystem_quota",
    "ruleset_quota",
    "capacity",
    "miss_rate",
    "prices",
    "inactive",
    "invalid_address",
    "forbidden",
    "block_urllib",
    "deprecated_hosts",
    "rate_shape",
    "extra_fields",
    "audit_page",
    "filesystem_cents",
)


class Admin:
    """Commands raise ValueError or KeyError with a sentence, before anything is changed."""

    def __init__(self, cloud: Cloud):
        self.cloud = cloud
        self.steps: list[tuple[float, dict]] = []

    # -- commands

    def fault(self, values: dict) -> dict:
        """Set a fault."""
        self.cloud.faults.add(made(Fault, values))
        return self.faults()

    def fate(self, values: dict) -> dict:
        """Set a fate of coming launches."""
        fate = made(Fate, values)
        self.cloud.faults.fate(fate.kind, fate.after, fate.times, fate.skip)
        return self.faults()

    def clear(self, _values: object = None) -> dict:
        """No faults and no fates of coming launches."""
        self.cloud.faults.clear()
        return self.faults()

    def instance(self, values: dict, since: float | None = None) -> dict:
        """Change one now: its fate (with `after`; "none" takes all away), or the status that it has until it is
        terminated.
        """
        check_instance(values)
        instance_id, status = values["id"], values.get("status")
        self.cloud.doom(instance_id, values.get("fate", "none"), values.get("after", 0.0), since)
        if status:
            self.cloud.world.hold(instance_id, status)
        return next((item for item in self.cloud.instances() if item["id"] == instance_id), {})

    def account(self, values: dict) -> dict:
        """Change settings of the account; `bytes_used` maps a filesystem's name to what is in it."""
        check_account(values)
        values, cloud = dict(values), self.cloud
        sizes = values.pop("bytes_used", {})
        with cloud.world.turn():
            cloud.filesystems.fill({name: int(size) for name, size in sizes.items()})
            for name, value in values.items():
                setattr(cloud.config, name, value)
            cloud.store.account.update(values)
            cloud.world.save()
        return {name: getattr(cloud.config, name) for name in SETTINGS}

    # -- beside commands

    def faults(self) -> dict:
        """All that are set, with how often they hit."""
        return {
            "faults": [asdict(fault) for fault in self.cloud.faults.items],
            "fates": [asdict(fate) for fate in self.cloud.faults.fates],
        }

    def bill(self) -> dict:
        """The bill, and the history of what was paid for."""
        return self.cloud.bill() | {"history": self.cloud.history, "now": self.cloud.clock.now()}

    def advance(self, seconds: float) -> dict:
        """Move the clock on; what a script has in between is done on the way."""
        target = self.cloud.clock.now() + seconds
        with self.cloud.world.lock:
            for moment in [moment for moment, _ in self.steps if moment <= target]:
                self.cloud.clock.not_before(moment)
                self.run_due()
            self.cloud.clock.advance(max(0.0, target - self.cloud.clock.now()) if seconds >= 0 else seconds)
            self.cloud.world.tick()
            return {"now": self.cloud.clock.now()}

    def script(self, steps: list[dict]) -> dict:
        """Commands with `at`, in simulated seconds from now.

        A step that is wrong in itself is refused with the whole script.
        """
        if not isinstance(steps, list):
            raise ValueError("A script is a list of steps, each with `at` and a command.")
        begun, planned = self.cloud.clock.now(), []
        for step in steps:
            step = dict(step)
            moment = begun + float(step.pop("at", 0.0))
            check(step)
            planned.append((moment, step))
        with self.cloud.world.lock:
            self.steps = sorted(self.steps + planned, key=lambda planned_step: planned_step[0])
            return {"steps": len(self.steps), "now": begun}

    def is_due(self) -> bool:
        """Whether a step's moment has come."""
        return bool(self.steps) and self.steps[0][0] <= self.cloud.clock.now()

    def run_due(self) -> None:
        """Carry out the steps whose moment has come.

        What cannot be done any more, such as the fate of an instance that has gone, is left out.
        """
        with self.cloud.world.lock:
            while self.is_due():
                moment, step = self.steps.pop(0)
                with contextlib.suppress(KeyError):
                    self.carry_out(step, moment)

    def carry_out(self, command: dict, moment: float) -> None:
        """One command of a script."""
        for name, values in command.items():
            if name == "instance":
                self.instance(values, moment)
            else:
                getattr(self, name)(values)


def check(command: dict) -> None:
    """ValueError for what is no command, or is wrong whatever the account is like."""
    names = ("fault", "fate", "clear", "instance", "account")
    if len(command) != 1 or next(iter(command)) not in names:
        raise ValueError(
            f"A step has `at` and one of {', '.join(names)}; this one has {', '.join(command) or 'nothing'}."
        )
    for name, kind in (("fault", Fault), ("fate", Fate)):
        if name in command:
            made(kind, command[name])
    if "instance" in command:
        check_instance(command["instance"])
    if "account" in command:
        check_account(command["account"])


def check_instance(values: dict) -> None:
    """ValueError for what cannot be changed of an instance, whichever it is."""
    if (
        set(values) - {"id", "fate", "after", "status"}
        or "id" not in values
        or bool(values.get("fate")) == bool(values.get("status"))
    ):
        raise ValueError("An instance is changed by its id with either fate (and after) or status.")
    if values.get("fate", "none") != "none":
        Fate(values["fate"], values.get("after", 0.0))


def check_account(values: dict) -> None:
    """ValueError for what is no setting, or of another type than the setting."""
    usual = ApiConfig()
    for name, value in values.items():
        if name not in (*SETTINGS, "bytes_used"):
            raise ValueError(
                f"An account has no setting '{name}' that can be changed: use bytes_used, {', '.join(SETTINGS)}."
            )
        kind = type(getattr(usual, name, {}))
        if not isinstance(value, (int, float) if kind is float else kind) or (
            kind is not bool and isinstance(value, bool)
        ):
            raise ValueError(f"The setting {name} cannot be {value!r}: use one like {getattr(usual, name, {})!r}.")
    unknown = [
        name for name in (*values.get("prices", {}), *values.get("capacity", {})) if name not in catalogue.names()
    ]
    if unknown:
        raise ValueError(f"There is no instance type {unknown[0]}.")


def made(kind: Callable[..., T], values: dict) -> T:
    """A Fault or Fate of what was sent."""
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"This is no {getattr(kind, '__name__', 'command').lower()}: {error}.") from error
