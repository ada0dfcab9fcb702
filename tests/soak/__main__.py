# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.soak --minutes 120`: load on a lab that runs, without an error and without growth of memory.

The memory that counts is that which no file backs, of every process of each unit. The first quarter warms up; the
median of the last may be no more than that of the second and a twentieth, or 16 MiB where that is more.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

from tests.e2e import reference
from tests.healing.service import Service
from tests.healing.streams import Streams

UNITS = ("ray", "vllm", "gh200-watchdog")
INTERVAL = 15
MIB = 1 << 20
# kB of each process of a unit that is there; one that ended meanwhile counts no more.
MEASURE = (
    "for unit in {units}; do sum=0; "
    "for pid in $(cat /sys/fs/cgroup/systemd/system.slice/$unit.service/cgroup.procs "
    "/sys/fs/cgroup/system.slice/$unit.service/cgroup.procs 2>/dev/null | sort -u); do "
    "kb=$(awk '/^RssAnon/{{print $2}}' /proc/$pid/status 2>/dev/null); sum=$((sum + ${{kb:-0}})); done; "
    "echo $unit $sum; done"
)


def main(arguments: list[str] | None = None) -> str | None:
    """None when all is well, else sentences."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--at-once", type=int, default=4)
    options = parser.parse_args(arguments)
    service = Service()
    service.ready()
    restarts = service.state()["restarts"]
    seen: dict[tuple[str, str], list[int]] = {}
    with Streams(service.server, options.at_once) as streams:
        end = time.monotonic() + 60 * options.minutes
        while time.monotonic() < end:
            measure(service, seen)
            left = end - time.monotonic()
            print(f"{left / 60:.1f} min left, {len(streams.times)} tokens, {len(streams.errors)} errors", flush=True)
            time.sleep(min(INTERVAL, max(0, left)))
        tokens, errors = len(streams.times), list(streams.errors)
    wrong = [f"an error: {error}" for error in errors[:5]]
    wrong += [sentence for key, values in seen.items() if (sentence := growth(key, values))]
    if service.state()["restarts"] != restarts:
        wrong.append(f"it was restarted: {service.state()['restarts'][-1]['reason']}")
    wrong += reference.check(service.server, reference.load()) + service.left_over()
    print(f"{options.minutes:.0f} minutes, {options.at_once} at once: {tokens} tokens, {len(errors)} errors")
    return "\n".join(wrong) or None


def measure(service: Service, seen: dict[tuple[str, str], list[int]]) -> None:
    """Bytes of each unit of each node, added to those before."""
    for name in service.nodes:
        for line in service.on(name, MEASURE.format(units=" ".join(UNITS))).splitlines():
            unit, kilobytes = line.split()
            if int(kilobytes):
                seen.setdefault((name, unit), []).append(int(kilobytes) << 10)


def growth(key: tuple[str, str], values: list[int]) -> str:
    """A sentence where memory grew, else nothing; prints the figures."""
    quarter = max(1, len(values) // 4)
    before, after = statistics.median(values[quarter : 2 * quarter] or values), statistics.median(values[-quarter:])
    print(f"{key[0]} {key[1]}: {before / MIB:.1f} MiB, then {after / MIB:.1f}")
    if after - before > max(before / 20, 16 * MIB):
        return f"{key[1]} on {key[0]} grew from {before / MIB:.1f} to {after / MIB:.1f} MiB"
    return ""


if __name__ == "__main__":
    sys.exit(main())
