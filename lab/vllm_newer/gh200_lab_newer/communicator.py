# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared memory only where there is some: nodes of the lab have the same names for it, and each its own."""

from vllm.distributed.device_communicators.cpu_communicator import CpuCommunicator
from vllm.distributed.parallel_state import in_the_same_node_as


class Communicator(CpuCommunicator):
    """As on one machine, if the ranks are on one; else through the network."""

    def _all_group_ranks_share_shm_group_name(self):
        return super()._all_group_ranks_share_shm_group_name() and all(in_the_same_node_as(self.cpu_group))
