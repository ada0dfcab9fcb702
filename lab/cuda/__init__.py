# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes with CUDA 12.4 and no GPU: the collection's build of vLLM for sm_90, in ten minutes.

The compiler is real, and compiles the sources that `real-sources.txt` names; of all others it
only says what it would do, since compiling them takes hours. What torch wants at load time
and nobody calls while compiling is a stand-in."""

from __future__ import annotations

import platform
from collections.abc import Callable

from ..config import Paths
from ..errors import LabError
from ..inventory import HUB_URL
from ..nodes import flavour, image
from . import lane, layer, toolkit, wheels

FAMILY = "cuda-12-4"


def prepare(paths: Paths, progress: Callable[[str], None]) -> dict:
    """Make the image family `cuda-12-4` and give the values of the engine; what is there stays."""
    if platform.machine() != "x86_64":
        raise LabError(f"The CUDA lane is for x86_64 and this machine is {platform.machine()}: use another machine.")
    base = image.build(paths, progress)
    tree = toolkit.build(paths, progress)
    torch, cutlass = wheels.fetch(paths, progress)
    flavour.define(paths, FAMILY, [layer.build(paths, base, tree, torch, cutlass, progress), tree])
    served = wheels.publish(paths, torch)
    return lane.lane(served, HUB_URL) | {"gh200_image_family": FAMILY}
