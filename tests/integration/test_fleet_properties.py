# SPDX-License-Identifier: GPL-3.0-or-later
"""Any script of faults, in any order: the promises hold."""

from __future__ import annotations

import tempfile

from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import spec
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from lab.api.faults import Fault

from .simulator import FakeClock, simulator
from .world import LAUNCH, REAL, TERMINATE, World

CALLS = [LAUNCH, LAUNCH, TERMINATE, "GET /instances", "GET /instances/{id}", "GET /instance-types", "*"]
REFUSALS = [
    "instance-operations/launch/insufficient-capacity",
    "global/quota-exceeded",
    "global/internal-error",
    "new/code",
]
DEADLINE, SETTLE = 1800.0, 30.0


def fault(on, do, when, times, skip, extra):
    """A fault; the list never lags longer than the fleet waits for it."""
    return Fault(on=on, do=do, when=when, times=times, skip=skip, **extra)


def faults():
    return (
        st.builds(
            fault,
            st.sampled_from(CALLS),
            st.sampled_from(["drop", "error", "garbage", "half"]),
            st.sampled_from(["before", "after"]),
            st.integers(1, 4),
            st.integers(0, 12),
            st.just({}),
        )
        | st.builds(
            fault,
            st.just(LAUNCH),
            st.just("refuse"),
            st.just("before"),
            st.integers(1, 6),
            st.integers(0, 6),
            st.sampled_from([{"code": code} for code in REFUSALS]),
        )
        | st.builds(
            fault,
            st.sampled_from(CALLS),
            st.just("rate"),
            st.just("before"),
            st.integers(1, 3),
            st.integers(0, 9),
            st.sampled_from([{"shape": "text"}, {"shape": "json"}, {"shape": "retry-after"}]),
        )
        | st.builds(
            fault,
            st.sampled_from([TERMINATE, "GET /instance-types"]),
            st.just("lie"),
            st.just("before"),
            st.integers(1, 3),
            st.integers(0, 3),
            st.just({"shape": "nowhere"}),
        )
        | st.builds(
            fault,
            st.just("GET /instances"),
            st.just("lag"),
            st.just("before"),
            st.integers(1, 30),
            st.integers(0, 9),
            st.just({"seconds": SETTLE - 5}),
        )
    )


FATES = st.tuples(
    st.sampled_from(["stuck", "unhealthy", "vanish", "preempt"]), st.sampled_from([0.0, 40.0, 200.0]), st.integers(0, 5)
)


# A script that is found is small enough to read; making it smaller would take longer than all the rest.
@settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@example(  # found by this test: an end that was a lie, and a list that hid it
    size=4,
    fates=[("unhealthy", 0.0, 2)],
    script=[
        fault(TERMINATE, "lie", "before", 1, 0, {}),
        fault(LAUNCH, "drop", "before", 1, 5, {}),
        fault("GET /instances", "lag", "before", 1, 6, {"seconds": 25.0}),
        fault(LAUNCH, "drop", "before", 1, 2, {}),
    ],
)
@given(size=st.integers(1, 4), script=st.lists(faults(), max_size=5), fates=st.lists(FATES, max_size=3))
def test_never_too_many_never_a_lost_one_never_a_foreign_one_and_always_an_end(size, script, fates):
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as folder, simulator(clock=clock, **REAL) as sim:
        world = World(sim, clock, folder)
        stranger = World(sim, clock, folder).up(1, name="r1-prod")
        sim.faults.add(*script)
        for kind, after, skip in fates:
            sim.faults.fate(kind, after=after, skip=skip)
        run_once(world, size)
        sim.faults.clear()
        known = set(world.lives())
        lost = {item for item in world.paid() - set(stranger.values()) if item not in known}
        assert len(lost) <= len(pending(world)), "a paid instance that neither the ledger nor a pending launch knows"
        ids = world.up(size, deadline=DEADLINE, boot_deadline=400)
        paid = world.paid() - set(stranger.values())
        assert set(ids.values()) <= paid and paid <= set(world.lives())
        assert (
            len({node for life in world.lives().values() if life.id in paid for node in [life.node]})
            == len(paid)
            == size
        )
        assert sim.cloud.billing.most_paid({"gh200:fleet": "r1"}) <= size
        world.down()
        assert world.paid() == set(stranger.values()), "the neighbour's instance, and nothing else"
        touched = {instance_id for body in sim.bodies(TERMINATE) for instance_id in body["instance_ids"]}
        assert not touched & set(stranger.values()) and touched <= set(world.lives())


def run_once(world, size):
    """A run that may fail, but by a sentence, and within its time."""
    begin = world.clock.now()
    try:
        world.up(size, deadline=DEADLINE, boot_deadline=400)
    except errors.CloudError as error:
        assert str(error).strip() and "\n" not in str(error)
        assert isinstance(error, (spec.FleetError, errors.LambdaError))
    # One call and its pauses may be under way when the time is over.
    assert world.clock.now() - begin <= DEADLINE + 60


def pending(world):
    """Launches of which the control node does not know yet what came of them."""
    return world.fleet(1).ledger.pending()
