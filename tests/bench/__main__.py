# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.bench`: everything that docs/speed.md tells, in one run; no limit is asserted.

A lab that runs here is taken down first. Ends with the table; the figures are in a file of JSON, which it names.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

from tests.bench import light, site, table, units
from tests.bench.cost import metering
from tests.bench.fleet import REPOSITORY, Runs, Stopped, command

PARTS = ("site", "light", "units")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m tests.bench", description="What the lab's runs cost, in ratios.")
    top.add_argument("--nodes", type=int, default=4, help="of the fleet that serves (default 4)")
    top.add_argument("--rounds", type=int, default=3, help="converged runs, in turn with the checks (default 3)")
    top.add_argument("--light", default=",".join(map(str, light.COUNTS)), help="numbers of light nodes")
    top.add_argument("--parts", default=",".join(PARTS), help=f"some of {', '.join(PARTS)}")
    return top


def machine() -> dict:
    """What it was measured on."""
    models = [line for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if "model name" in line]
    return {
        "cores": len(os.sched_getaffinity(0)),
        "cpu": models[0].partition(":")[2].strip() if models else "unknown",
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "load": round(os.getloadavg()[0], 1),
    }


def down() -> None:
    """Nothing of the lab is left."""
    command([sys.executable, "-m", "lab", "down"])


def measure(options: argparse.Namespace, runs: Runs, result: dict) -> None:
    """All parts that are asked for, into `result`."""
    counts = tuple(int(number) for number in options.light.split(","))
    for part in options.parts.split(","):
        down()
        try:
            if part == "site":
                site.measure(runs, options.nodes, options.rounds, result.setdefault("site", {}))
            elif part == "units":
                units.measure(runs, options.nodes, options.rounds, result.setdefault("units", {}))
            else:
                light.measure(runs, counts, options.rounds, result.setdefault("light", {}))
        finally:
            down()


def main() -> int:
    """Exit status 1 with a sentence where something cannot be measured; what could be is written all the same."""
    # What was made goes when this is ended by a signal, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    options = parser().parse_args()
    folder = REPOSITORY / f".lab/logs/bench-{options.nodes}"
    written = folder / f"{options.parts.replace(',', '-')}.json"
    folder.mkdir(parents=True, exist_ok=True)
    result: dict = {"machine": machine(), "nodes": options.nodes}
    try:
        with metering() as meter:
            measure(options, Runs(meter, folder), result)
    except (Stopped, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    finally:
        written.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print("\n".join(table.markdown(result)))
    if "site" in result:
        print("\n".join(["", *table.path(result["site"]["first"])]))
    print(f"\nfigures: {written}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
