# SPDX-License-Identifier: GPL-3.0-or-later
"""Which NUMA nodes are bound to, on made-up machines."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import numa

GIB = 1 << 30
LPDDR, HBM = int(431.2 * GIB), int(94.5 * GIB)
GH200 = [("0-63", LPDDR), ("", HBM)]
# As on machines where the GPU may be cut into instances: the nodes for them are there, and empty.
GH200_WITH_INSTANCES = [*GH200, *[("", 0)] * 7]
GRACE_WITH_TWO_GPUS = [("0-71", LPDDR), ("72-143", LPDDR), ("", HBM), ("", HBM)]
DESKTOP = [("0-7", 32 * GIB)]
TWO_SOCKETS = [("0-31", 256 * GIB), ("32-63", 256 * GIB)]
CPUS_WITHOUT_MEMORY = [("0-31", 256 * GIB), ("32-63", 0)]


@pytest.fixture(name="machine")
def machine_of_nodes(tmp_path):
    """machine(nodes, **kib): root of a sysfs; `nodes` are CPU lists and bytes, `kib` more lines of each meminfo."""

    def machine(nodes, **kib):
        folder = tmp_path / "devices" / "system" / "node"
        for number, (cpus, size) in enumerate(nodes):
            node = folder / f"node{number}"
            node.mkdir(parents=True)
            (node / "cpulist").write_text(f"{cpus}\n", encoding="utf-8")
            lines = {
                "MemTotal": size // 1024,
                **{name.replace("_", "(") + (")" if "_" in name else ""): n for name, n in kib.items()},
            }
            text = "".join(f"Node {number} {name}:{count:>15} kB\n" for name, count in lines.items())
            (node / "meminfo").write_text(text + f"Node {number} HugePages_Total:     3\n", encoding="utf-8")
        (folder / "possible").write_text("0-9\n", encoding="utf-8")
        (folder / "power").mkdir()
        return str(tmp_path)

    return machine


@pytest.mark.parametrize(
    ("nodes", "bound", "memory_only"),
    [
        (GH200, [0], [1]),
        (GH200_WITH_INSTANCES, [0], [1]),
        (GRACE_WITH_TWO_GPUS, [0, 1], [2, 3]),
        (DESKTOP, None, []),
        (TWO_SOCKETS, None, []),
        (CPUS_WITHOUT_MEMORY, None, []),
        ([("", HBM)], None, [0]),
        ([*CPUS_WITHOUT_MEMORY, ("", HBM)], [0], [2]),
    ],
)
def test_a_machine_is_bound_to_its_nodes_with_cpus_where_others_have_none(machine, nodes, bound, memory_only):
    root = machine(nodes)
    assert numa.binding(root) == bound
    assert numa.memory_only(root) == memory_only


def test_nodes_are_in_the_order_of_their_numbers(machine):
    found = numa.nodes(machine([("0-1", GIB)] * 11))
    assert [node.number for node in found] == list(range(11))
    assert found[10].memory["MemTotal"] == GIB


@pytest.mark.parametrize("ask", [numa.binding, numa.free_bytes])
def test_a_kernel_without_numa_says_nothing(tmp_path, ask):
    assert ask(str(tmp_path)) is None


def test_a_node_whose_files_cannot_be_read_has_neither(tmp_path):
    (tmp_path / "devices/system/node/node0").mkdir(parents=True)
    assert numa.nodes(str(tmp_path)) == [numa.Node(0, False, {})]
    assert numa.binding(str(tmp_path)) is None and numa.free_bytes(str(tmp_path)) is None


def test_free_is_what_a_bound_process_can_get(machine):
    root = machine(
        GH200, MemFree=1000, Active_file=200, Inactive_file=30, SReclaimable=4, FilePages=900000, Shmem=700000
    )
    assert numa.free_bytes(root) == 1234 * 1024


def test_without_a_binding_the_memory_of_all_nodes_counts(machine):
    assert numa.free_bytes(machine(TWO_SOCKETS, MemFree=1000)) == 2000 * 1024


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        (None, {}),
        ([0], {"NUMAPolicy": "bind", "NUMAMask": "0"}),
        ([0, 1], {"NUMAPolicy": "bind", "NUMAMask": "0,1"}),
    ],
)
def test_systemd_is_told_in_its_own_words(bound, words):
    assert numa.properties(bound) == words
