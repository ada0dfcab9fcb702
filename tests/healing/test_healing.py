# SPDX-License-Identifier: GPL-3.0-or-later
"""What breaks on a service that is used comes back by itself, or is named: on a lab of four nodes.

Each limit is counted from a start of the engine that is measured first, in the same run.
"""

from __future__ import annotations

import contextlib
import itertools
import time

import pytest

from tests.e2e import reference
from tests.e2e.running import playbook
from tests.healing.service import Service
from tests.healing.streams import Streams

KILL, STOP = 9, 19
MIB = 1 << 20


@pytest.fixture(scope="module", name="service")
def a_service():
    """A lab that serves, its answers right, with the seconds of a start."""
    service = Service()
    service.ready()
    service.answers = reference.load()
    with Streams(service.server, 2) as streams:
        streams.flowing()
        # Not by the watchdog, which leaves alone what somebody stops.
        service.on(service.head, "sudo systemctl stop vllm")
        began = time.monotonic()
        service.on(service.head, "sudo systemctl start vllm")
        service.start = streams.flowing(300) - began
        service.ready()
    print(f"\na start: {service.start:.1f} s", flush=True)
    return service


@pytest.fixture(name="used")
def a_service_in_use(service):
    """Streams run; afterwards all answers are right, and nothing is left over."""
    service.ready()
    with Streams(service.server, 3) as streams:
        streams.flowing()
        yield streams
    service.ready()
    assert reference.check(service.server, service.answers) == []
    assert service.left_over() == []


def flows_again(service, streams, began, margin, what):
    """Tokens flow within a start and so many seconds after the fault, as those who use it saw it."""
    service.noticed()
    service.ready(service.start + margin + 120)
    streams.flowing(60)
    after = [began, *(moment for moment in streams.times if moment > began)]
    gap, resumed = max((later - earlier, later) for earlier, later in itertools.pairwise(after))
    took = resumed - began
    print(
        f"{what}: tokens again {took:.1f} s after it, of {service.start + margin:.0f} (greatest gap {gap:.1f} s)",
        flush=True,
    )
    assert took < service.start + margin


def test_the_engine_is_killed(service, used):
    began = time.monotonic()
    service.signal(service.head, KILL, service.main_pid())
    flows_again(service, used, began, 15, "engine killed")


def test_a_rank_is_killed_under_load(service, used):
    began = time.monotonic()
    service.signal(service.workers[1], KILL, service.rank(service.workers[1]))
    flows_again(service, used, began, 30, "rank killed under load")


def test_a_rank_is_killed_while_nobody_asks(service):
    service.ready()
    name = service.workers[0]
    began = time.monotonic()
    service.signal(name, KILL, service.rank(name))
    service.noticed()
    noticed = time.monotonic() - began
    service.ready(service.start + 120)
    took = time.monotonic() - began
    print(f"rank killed, idle: noticed after {noticed:.1f} s, right answers after {took:.1f} s", flush=True)
    assert took < service.start + 30
    assert f"{name}: its rank ended" in service.state()["restarts"][-1]["reason"]
    assert service.left_over() == []


def test_ray_is_killed_on_a_worker(service, used):
    name = service.workers[2]
    began = time.monotonic()
    service.signal(name, KILL, service.raylet(name))
    flows_again(service, used, began, 45, "Ray killed on a worker")


def test_ray_is_killed_on_the_head(service, used):
    began = time.monotonic()
    service.signal(service.head, KILL, service.raylet(service.head))
    flows_again(service, used, began, 45, "Ray killed on the head")


@pytest.mark.parametrize("which", ["worker", "head"])
def test_a_node_reboots(service, used, which):
    name = service.head if which == "head" else service.workers[0]
    began = time.monotonic()
    # The connection may end before its command does.
    with contextlib.suppress(AssertionError):
        service.on(name, "sudo systemctl --no-block reboot")
    time.sleep(3)
    while True:
        with contextlib.suppress(AssertionError):
            service.on(name, "systemctl is-active ssh")
            break
        time.sleep(0.5)
    boot = time.monotonic() - began
    print(f"a boot of the {which}: {boot:.1f} s", flush=True)
    flows_again(service, used, began, boot + 45, f"reboot of the {which}")


@pytest.mark.parametrize("load", [True, False], ids=["under load", "idle"])
def test_a_rank_hangs(service, load):
    service.ready()
    name = service.workers[1]
    with Streams(service.server, 3 if load else 0) as streams:
        if load:
            streams.flowing()
        service.signal(name, STOP, service.rank(name))
        found = service.noticed(60)
        assert (
            any(name in (culprit["node"]) for culprit in service.state()["culprits"])
            or name in service.state()["reason"]
        )
        service.ready(service.start + 120)
    print(f"a rank hangs, {'under load' if load else 'idle'}: found after {found:.1f} s", flush=True)
    assert reference.check(service.server, service.answers) == []
    assert service.left_over() == []


def test_ray_hangs_on_a_worker(service):
    service.ready()
    name = service.workers[0]
    service.signal(name, STOP, service.raylet(name))
    found = service.noticed(90)
    service.ready(service.start + 180)
    print(f"Ray hangs on a worker: found after {found:.1f} s", flush=True)
    assert service.left_over() == []


def test_a_workers_network_is_cut_for_a_while(service, used):
    name = service.workers[2]
    with service.cut(name):
        time.sleep(20)
    service.ready(service.start + 180)
    used.flowing(60)


def test_a_worker_without_network_is_named(service):
    service.ready()
    name = service.workers[2]
    with service.cut(name), Streams(service.server, 2):
        took = service.named(name, "no word from", 60)
    print(f"network cut: named after {took:.1f} s", flush=True)
    service.ready(service.start + 240)
    assert service.left_over() == []


@pytest.mark.parametrize("which", ["head", "worker"])
def test_a_full_disk_is_named(service, which):
    name = service.head if which == "head" else service.workers[0]
    place = "/var/cache/gh200"
    service.ready()
    service.on(
        name,
        f"sudo mount -t tmpfs -o size=64m none {place} && head -c 63M /dev/zero | sudo tee {place}/filler >/dev/null",
    )
    try:
        service.named(name, f"{place} is full", 60)
        assert service.state()["ready"]
    finally:
        service.on(name, f"sudo umount {place}")
    service.until(lambda state: not state["warnings"], 60, "no warning")


def test_short_memory_is_named_before_and_a_kill_after(service):
    name = service.workers[1]
    service.ready()
    with service.memory_limit(name, 300 * MIB):
        service.named(name, "memory is short", 60)
        # It takes more than there is; the kernel chooses whom it kills.
        service.on(name, "sudo python3 -c 'bytearray(1 << 30)' || true")
        service.named(name, "for want of memory", 60)
        # Whether it was a rank shows in a moment.
        time.sleep(10)
    service.ready(service.start + 240)
    assert service.left_over() == []


def test_a_worker_that_is_gone_for_good_is_named_and_site_replaces_it(service):
    service.ready()
    name = service.workers[0]
    with Streams(service.server, 2) as streams:
        streams.flowing()
        with contextlib.suppress(AssertionError):
            service.on(name, "sudo systemctl --no-block poweroff")
        took = service.named(name, "no word from", 60)
        print(f"powered off: named after {took:.1f} s", flush=True)
        assert playbook("site.yml")[0] == 0
        replaced = Service()
        replaced.ready(service.start + 240)
        streams.flowing(60)
    assert reference.check(service.server, service.answers) == []
    assert replaced.left_over() == []
