# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an instance is in its life, by the clock, its node and its fate; and what the API shows of it."""

from __future__ import annotations

from .config import ApiConfig
from .drivers import Driver
from .instance import Instance
from .store import Object

ACTIONS = ("migrate", "rebuild", "restart", "cold_reboot", "terminate")
GONE = ("terminating", "terminated")
# A status that a fate holds until the instance is terminated. The last one is in no document. A preempted instance is
# counted as paid for, too: that nobody has to terminate it is not documented.
HELD = {"unhealthy": "unhealthy", "preempt": "preempted", "unknown-status": "hibernating"}


def status(config: ApiConfig, driver: Driver, instance: Instance, now: float) -> str:
    """The present status of an instance that was in `instance.status`."""
    before, times = instance.status, instance.times
    if before in GONE:
        return "terminated" if times.ended is not None and now - times.ended >= config.terminate_seconds else before
    if times.held:
        return times.held
    come = times.come(now)
    for kind, held in HELD.items():
        if kind in come:
            return held
    node = driver.status(instance.id)
    if node == "gone":
        return "unhealthy"  # powered off from inside, or died: it is still paid for
    if before == "booting" and ("stuck" in come or now - times.launched < config.boot_seconds):
        return before
    return "active" if node == "running" else before


def shown(config: ApiConfig, instance: Instance, now: float) -> Object:
    """The object as the API gives it: fields that do not apply are absent."""
    times = instance.times
    come = times.come(now)
    hidden = set()
    if now - times.launched < config.address_seconds or instance.status in GONE or "no-ip" in come:
        hidden |= {"ip", "private_ip", "hostname", "jupyter_token", "jupyter_url"}
    if "no-private-ip" in come:
        hidden.add("private_ip")
    if any(fate.kind == "late-filesystem" and now < fate.at for fate in times.fates):
        hidden.add("file_system_mounts")
    always = ("file_system_names", "ssh_key_names")
    result = {
        name: value
        for name, value in instance.told().items()
        if name in always or (name not in hidden and value not in (None, []))
    }
    result["actions"] = {action: availability(instance.status, action) for action in ACTIONS}
    return result | config.extra_fields


def availability(present: str, action: str) -> Object:
    """Whether an action is possible, or why not."""
    if present == "active" or (action == "terminate" and present not in GONE):
        return {"available": True}
    if present in GONE:
        return {
            "available": False,
            "reason_code": "vm-is-terminating",
            "reason_description": "The instance is being terminated.",
        }
    return {
        "available": False,
        "reason_code": "vm-has-not-launched",
        "reason_description": "The instance is not running.",
    }
