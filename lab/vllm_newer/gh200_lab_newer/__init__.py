# SPDX-License-Identifier: GPL-3.0-or-later
"""Out-of-tree platform of vLLM 0.32 for nodes that have a GPU in Ray's books only."""


def platform():
    """Called by vLLM: the class of the platform."""
    return "gh200_lab_newer.platform.LogicalGpuPlatform"
