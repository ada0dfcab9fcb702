# SPDX-License-Identifier: GPL-3.0-or-later
"""Any script of faults: a receipt is never below the bill, and near it where the API told the truth.

GH200_SCRIPTS is the number of scripts of one run, 40 if it is not set.
"""

from __future__ import annotations

import os
import tempfile

from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lab.api.faults import Fault

from .simulator import FakeClock, simulator
from .test_fleet_properties import FATES, faults, run_once
from .world import LAUNCH, REAL, TERMINATE, World

NEAR = 3 * 2.29 / 60  # dollars: three minutes of one node
LIES = st.builds(
    lambda on, do, times, skip: Fault(
        on=on,
        do=do,
        times=times,
        skip=skip,
        **({"code": "global/object-does-not-exist", "status": 404} if do == "refuse" else {}),
    ),
    st.sampled_from([TERMINATE, TERMINATE, "GET /instances/{id}"]),
    st.sampled_from(["lie", "lie", "refuse"]),
    st.integers(1, 5),
    st.integers(0, 4),
)


def is_true(script, fates):
    """Whether the API refused at most, and no node went unseen."""
    return all(fault.on == LAUNCH and fault.do in ("refuse", "rate") for fault in script) and "vanish" not in {
        kind for kind, *dummy in fates
    }


@settings(
    max_examples=int(os.environ.get("GH200_SCRIPTS", "40")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(
    size=st.integers(1, 4),
    fates=st.lists(FATES, max_size=3),
    pauses=st.tuples(*[st.sampled_from([0, 0, 240, 3600])] * 2),
    script=st.lists(faults() | LIES | LIES, max_size=5)
    | st.lists(st.builds(Fault, st.just(LAUNCH), st.just("refuse"), skip=st.integers(0, 4)), max_size=3),
)
def test_the_receipt_is_never_below_the_bill_and_near_it_where_the_api_told_the_truth(size, script, fates, pauses):
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as folder, simulator(clock=clock, **REAL) as sim:
        world = World(sim, clock, folder)
        sim.faults.add(*script)
        for kind, after, skip in fates:
            sim.faults.fate(kind, after=after, skip=skip)
        run_once(world, size)
        clock.sleep(pauses[0])
        run_once(world, size)
        clock.sleep(pauses[1])
        try:
            world.down(deadline=600)
        except errors.CloudError:
            clock.sleep(pauses[0])
        sim.faults.clear()
        world.down()
        bill, receipt = world.bill(), world.receipt()
        assert world.paid() == set()
        assert bill <= receipt + 1e-6, f"the receipt shows ${receipt}, and ${bill:.4f} are billed"
        if is_true(script, fates):
            assert receipt <= bill + NEAR * len(world.lives()), (
                f"the receipt shows ${receipt}, and only ${bill:.4f} are billed"
            )
