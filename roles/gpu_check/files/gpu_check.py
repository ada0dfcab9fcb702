# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this machine's GPU is fit to serve: gpu_check.py check | memory OPTIONS.

check: the GPU is there and in order, and as fast as its kind must be. memory: its memory is free before an engine
starts.
Prints one JSON object and exits 0, or says in one sentence on stderr what is wrong and what to do, and exits 1.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time

from gpu_judge import (
    Unfit,
    describe,
    free_share,
    judge_driver,
    judge_measures,
    judge_node,
    judge_state,
    number,
    title,
)
from gpu_query import query_gpus

FABRIC_WAIT = 20  # seconds for which the fabric may still be coming up
MEASURE_TIMEOUT = 300  # seconds


def command(*argv):
    """(exit status, output) of a program; status None where it does not exist, 124 after a minute."""
    try:
        got = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    except FileNotFoundError:
        return None, ""
    except subprocess.TimeoutExpired:
        return 124, "no answer within 60 s"
    return got.returncode, got.stdout


def read(path):
    """Text of a small file without white space at its ends; "" where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def node_state(run):
    """Page size in bytes, the default route's interface, free disk, and whether the clock is synchronised."""
    routes = [line.split() for line in read("/proc/net/route").splitlines()[1:]]
    interface = next((route[0] for route in routes if route[1] == "00000000"), "")
    speed = number(read(f"/sys/class/net/{interface}/speed")) if interface else None
    return {
        "page_size": os.sysconf("SC_PAGE_SIZE"),
        "interface": interface,
        "speed_mbits": int(speed) if speed and speed > 0 else None,
        "mtu": read(f"/sys/class/net/{interface}/mtu") if interface else "",
        "disk_free_gib": int(shutil.disk_usage("/").free >> 30),
        "clock_synchronised": run("timedatectl", "show", "-p", "NTPSynchronized")[1].strip() == "NTPSynchronized=yes",
    }


def serving(run):
    """What holds the GPU's memory rightly, in words; None where nothing does."""
    if run("systemctl", "is-active", "vllm")[1].strip() in ("active", "activating", "reloading"):
        return "vllm.service runs"
    for name in os.listdir("/proc"):
        if name.isdigit() and read(f"/proc/{name}/cmdline").startswith("ray::RayWorker"):
            return f"a worker of Ray serves (process {name})"
    return None


def memory_only_nodes(root="/sys/devices/system/node"):
    """Numbers of NUMA nodes without CPUs: a GPU's memory, where the page cache may lie."""
    names = os.listdir(root) if os.path.isdir(root) else []
    return sorted(
        int(name[4:]) for name in names if re.fullmatch(r"node\d+", name) and not read(f"{root}/{name}/cpulist")
    )


def drop_page_cache():
    """Give back what the kernel keeps of files that are on disk."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="utf-8") as file:
        file.write("3")


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
    """All of it, once per boot and options: a dictionary with a line about the node. Raises Unfit."""
    key = [
        read("/proc/sys/kernel/random/boot_id"),
        options.capability,
        options.floors,
        options.min_disk_gib,
        options.free_share,
    ]
    kept = remembered(options.record)
    if kept.get("key") == key and not options.again:
        return {**kept, "remembered": True}
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
    return {**found, "remembered": False}


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
