# SPDX-License-Identifier: GPL-3.0-or-later
"""Print how many compile jobs this machine bears: jobs.py GIB_PER_JOB [PART]

Where a GPU's own memory is a NUMA node without CPUs, the kernel counts it as
available; it is the GPU's, so only the nodes that have CPUs count.
With PART, such as 0.125, only that part of the memory is divided. Where it is not
enough for one job, nothing is printed and the status is 3.
"""

import glob
import os
import re
import sys


def jobs(cpus, gib_per_job, root="/", part=1.0):
    """At most one for each CPU; at least one where all the memory is ours, 0 where a part is too small."""
    fitting = int(available_kib(root) * part / 1048576 // gib_per_job)
    return min(cpus, max(1, fitting) if part == 1 else fitting)


def available_kib(root="/"):
    """KiB that can be used without swapping, without the memory of NUMA nodes that have no CPUs."""
    everywhere = figures(os.path.join(root, "proc/meminfo"))["MemAvailable"]
    nodes = glob.glob(os.path.join(root, "sys/devices/system/node/node[0-9]*"))
    with_cpus = [node for node in nodes if read(os.path.join(node, "cpulist")).strip()]
    if len(with_cpus) in (0, len(nodes)):
        return everywhere
    return min(everywhere, sum(reclaimable(figures(os.path.join(node, "meminfo"))) for node in with_cpus))


def reclaimable(node):
    """KiB of a NUMA node that are free or hold only file pages."""
    return node["MemFree"] + node.get("Active(file)", 0) + node.get("Inactive(file)", 0)


def figures(path):
    """Name to KiB, of /proc/meminfo or of a node's."""
    return {name: int(kib) for name, kib in re.findall(r"(\S+):\s+(\d+) kB", read(path))}


def read(path):
    with open(path, encoding="ascii") as stream:
        return stream.read()


if __name__ == "__main__":
    gib, portion = [*map(float, sys.argv[1:]), 1.0][:2]
    count = jobs(len(os.sched_getaffinity(0)), gib, part=portion)
    if not count:
        sys.exit(3)
    print(count)
