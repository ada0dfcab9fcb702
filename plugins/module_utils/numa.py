# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""NUMA nodes of a machine, read from sysfs.

A GPU that shares the machine's address space (GH200) shows its own memory as a NUMA node without CPUs. Page cache that
lands there is memory that CUDA cannot have, so whatever moves big files is bound to the nodes that have CPUs.
"""

from __future__ import annotations

import os
import re
import typing as t

SYSFS = "/sys"

# What the kernel gives back when memory is asked for: file pages and freeable slabs. Shared memory and locked pages are
# in neither list. Dirty pages count too: they are free as soon as they are written.
RECLAIMABLE = ("Active(file)", "Inactive(file)", "SReclaimable")


class Node(t.NamedTuple):
    """One NUMA node. `memory` holds the lines of its meminfo in bytes, {} where the kernel shows none."""

    number: int
    has_cpus: bool
    memory: dict[str, int]

    @property
    def has_memory(self) -> bool:
        return self.memory.get("MemTotal", 0) > 0

    @property
    def free_bytes(self) -> int:
        """Free, or free as soon as it is asked for."""
        return sum(self.memory.get(name, 0) for name in ("MemFree", *RECLAIMABLE))


def nodes(root: str = SYSFS) -> list[Node]:
    """All NUMA nodes, by number; [] where the kernel shows none."""
    folder = os.path.join(root, "devices/system/node")
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    numbers = sorted(int(name[4:]) for name in names if re.fullmatch(r"node\d+", name))
    return [_node(os.path.join(folder, f"node{number}"), number) for number in numbers]


def binding(root: str = SYSFS) -> list[int] | None:
    """Numbers of the nodes to bind to: those with CPUs and memory, where another has memory and no CPUs; else None."""
    found = nodes(root)
    wanted = [node.number for node in found if node.has_cpus and node.has_memory]
    return wanted if wanted and memory_only(root) else None


def memory_only(root: str = SYSFS) -> list[int]:
    """Numbers of the nodes that have memory and no CPUs: the memory of a GPU, as a rule."""
    return [node.number for node in nodes(root) if node.has_memory and not node.has_cpus]


def free_bytes(root: str = SYSFS) -> int | None:
    """Bytes that processes bound as `binding` says can still get; None where the kernel shows no nodes.

    Free pages, and those that are given back when asked for (RECLAIMABLE). Without a binding all nodes count.
    """
    found, bound = nodes(root), binding(root)
    if not any(node.has_memory for node in found):
        return None
    return sum(node.free_bytes for node in found if bound is None or node.number in bound)


def properties(bound: list[int] | None) -> dict[str, str]:
    """The binding in systemd's words (known since 243); {} for none."""
    return {"NUMAPolicy": "bind", "NUMAMask": ",".join(map(str, bound))} if bound else {}


def _node(folder: str, number: int) -> Node:
    memory = {}
    for line in _read(os.path.join(folder, "meminfo")).splitlines():
        found = re.match(r"Node \d+ (\S+):\s+(\d+) kB", line)
        if found:
            memory[found[1]] = int(found[2]) * 1024
    return Node(number, bool(_read(os.path.join(folder, "cpulist")).strip()), memory)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError:
        return ""
