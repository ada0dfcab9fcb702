# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this machine's GPU is fit to serve: gpu_check.py check | memory OPTIONS.

check: the GPU is there and in order, and as fast as its kind must be. memory: its memory is free before an engine
starts.
Prints one JSON object and exits 0, or says in one sentence on stderr what is wrong and what to do, and exits 1.
"""

import argparse
import json
import os
import subprocess
import sys
import time

from gpu_host import (
    await_first_boot,
    command,
    drop_page_cache,
    memory_only_nodes,
    node_state,
    read,
    serving,
)
from gpu_judge import (
    Unfit,
    describe,
    free_share,
    judge_driver,
    judge_measures,
    judge_node,
    judge_state,
    title,
)
from gpu_query import query_gpus

FABRIC_WAIT = 20  # seconds for which the fabric may still be coming up
MEASURE_TIMEOUT = 300  # seconds


def free_memory(gpus, wanted, run, drop):
    """State of the GPUs with enough free memory. `drop` drops the page cache, None where that cannot help.

    Raises Unfit.
    """

    def is_short(gpu):
        return (free_share(gpu) if free_share(gpu) is not None else 1) < wanted

    dropped = False
    if drop and any(map(is_short, gpus)):
        drop()
        gpus, dropped = query_gpus(run), True
    for gpu in filter(is_short, gpus):
        apps = run("nvidia-smi", "--query-compute-apps=pid,process_name,used_memory", "--format=csv,noheader")[1]
        held = "; ".join(app.strip() for app in apps.splitlines() if "," in app)
        raise Unfit(
            f"{title(gpu)} has {gpu['memory.free']} of {gpu['memory.total']} MiB free, wanted are {wanted:.0%}"
            f"{', and dropping the page cache did not help' if dropped else ''}: "
            + (
                f"it is held by {held} (pid, program, memory); stop that."
                if held
                else "no process is named that holds it; reboot this node."
            )
        )
    return gpus


def measure():
    """What gpu_measure.py prints, run as a process of its own: a driver may hang or crash."""
    text = globals().get("MEASURE") or read(
        os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "gpu_measure.py")
    )
    try:
        got = subprocess.run(
            [sys.executable, "-"], input=text, capture_output=True, text=True, check=False, timeout=MEASURE_TIMEOUT
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"did not end within {MEASURE_TIMEOUT} s"}
    try:
        return json.loads(got.stdout)
    except ValueError:
        return {
            "failed": f"ended with status {got.returncode} and said "
            f"{(got.stderr.strip().splitlines() or ['nothing'])[-1]!r}"
        }


def settled_gpus(run, wait=FABRIC_WAIT):
    """State of all GPUs, after at most `wait` seconds in which their fabric comes up."""
    deadline = time.monotonic() + wait
    while True:
        gpus = query_gpus(run)
        if time.monotonic() > deadline or all(gpu.get("fabric.state") != "In Progress" for gpu in gpus):
            return gpus
        time.sleep(2)


def remembered(path):
    """What the last check that passed found; {} for none."""
    try:
        return json.loads(read(path))
    except ValueError:
        return {}


def remember(path, found):
    """Whole or not at all."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1)
    os.replace(path + ".new", path)


def check(options, run=command, measuring=measure):
    """All of it, once per boot and options: a dictionary with a line about the node. Raises Unfit.

    `serving` in it is what serves there now, None for nothing.
    """
    key = [
        read("/proc/sys/kernel/random/boot_id"),
        options.capability,
        options.floors,
        options.min_disk_gib,
        options.free_share,
    ]
    kept = remembered(options.record)
    if kept.get("key") == key and not options.again:
        return {**kept, "remembered": True, "serving": serving(run)}
    await_first_boot(options.first_boot)
    gpus = settled_gpus(run)
    for gpu in gpus:
        judge_state(gpu, None, options.capability)
    busy = serving(run)
    if not busy:
        gpus = free_memory(gpus, options.free_share, run, dropping(options))
    measured = {"skipped": busy} if busy else measuring()
    judge_driver(measured, gpus)
    for gpu, measures in zip(gpus, measured.get("gpus", []), strict=False):
        judge_state({**gpu, "compute_cap": measures["capability"]}, measured["cuda"], options.capability)
        judge_measures(gpu, measures, options.floors)
    node = node_state(run)
    judge_node(node, options.min_disk_gib)
    found = {"key": key, "gpus": gpus, "measured": measured, "node": node, "line": describe(gpus, measured, node)}
    if not busy and not options.dry_run:
        remember(options.record, found)
    return {**found, "remembered": False, "serving": busy}


def memory(options, run=command):
    """Free memory before an engine starts: a dictionary with a line about it. Raises Unfit."""
    busy = serving(run)
    if busy:
        return {"skipped": busy, "line": f"GPU memory: not looked at, {busy}"}
    gpus = free_memory(query_gpus(run), options.free_share, run, dropping(options))
    return {
        "gpus": gpus,
        "line": "; ".join(
            f"{title(gpu)}: {gpu.get('memory.free')} of {gpu.get('memory.total')} MiB free" for gpu in gpus
        ),
    }


def dropping(options):
    """The function that drops the page cache; None where it cannot hold a GPU's memory, or nothing may be changed."""
    return drop_page_cache if memory_only_nodes() and not options.dry_run else None


def main(arguments):
    """Exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=("check", "memory"))
    parser.add_argument("--capability", default="9.0", help="compute capability that is wanted, empty for any")
    parser.add_argument("--floors", type=json.loads, default={}, help="JSON: words of a GPU's name to least measures")
    parser.add_argument("--min-disk-gib", type=float, default=0)
    parser.add_argument("--free-share", type=float, default=0.92)
    parser.add_argument("--first-boot", type=int, default=600, help="seconds to wait for the end of the first boot")
    parser.add_argument("--record", default="/var/lib/gh200/gpu-check.json")
    parser.add_argument("--again", action="store_true", help="measure even if this was done since the boot")
    parser.add_argument("--dry-run", action="store_true", help="change nothing: neither the record nor the page cache")
    options = parser.parse_args(arguments)
    try:
        print(json.dumps((check if options.mode == "check" else memory)(options)))
    except Unfit as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"The GPU could not be checked: {error}. Run this as root, on a machine with room on its disk.",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
