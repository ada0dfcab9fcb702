# SPDX-License-Identifier: GPL-3.0-or-later
"""The CPU lane: the values that turn the collection's CUDA build of vLLM 0.7.2 into one for
nodes without a GPU. Same sources, same steps, same flags; only what is installed differs.

Keys are variables of the roles, so that an inventory can hold them as they are."""

from __future__ import annotations

from ..torch_source import VERSION
from . import pins

# How the engine of this lane values a group of experts, see lab.reference: as DeepSeek does, by the sum of the best
# two,
# for vllm_build_fixes mends the routing of 0.7.2.
ROUTING = "sum"
LANE = {
    "vllm_build_device": "cpu",
    # The local version keeps pip from taking three gigabytes of CUDA by mistake.
    "vllm_build_torch": [f"torch=={VERSION}+cpu"],
    "vllm_build_torch_cuda": "",
    # AVX-512 kernels would fetch a library from the network in the middle of the build.
    "vllm_build_environment": {"VLLM_CPU_DISABLE_AVX512": "true"},
    "vllm_build_gib_per_job": 2,
    "vllm_build_constraints": pins.constraints(),
    "vllm_build_tools": pins.tools(),
    "vllm_build_locks": [str(pins.LOCK)],
    "vllm_build_build_packages": ["gcc", "g++", "libnuma-dev", "python3.11-dev"],
    # Without libnuma the compiled part of vLLM does not load.
    "vllm_build_run_packages": ["libnuma1"],
    # xgrammar and datasets are for guided decoding and benchmarks; on aarch64 vLLM
    # does not ask for xgrammar either, and here it would bring another Triton.
    "vllm_build_excluded": ["torch", "torchaudio", "torchvision", "triton", "xformers", "xgrammar", "datasets"],
    # The routing of the experts imports Triton, and compiles nothing with it.
    "vllm_build_triton": "none",
    "vllm_build_last": ["triton==3.1.0"],
    "vllm_build_tolerated": [
        # Its CPU build asks for the torch of its time, which PyPI has for CUDA only.
        r"^vllm 0\.7\.2\+(gh200\.)?cpu has requirement torch==2\.5\.1\+cpu",
        r"^vllm 0\.7\.2\+(gh200\.)?cpu requires (datasets|torchaudio|torchvision|xgrammar), which is not installed",
    ],
    "ray_cluster_environment": {
        "OMP_NUM_THREADS": "1",
        # Compiling at the first token would take half a minute.
        "TORCHDYNAMO_DISABLE": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1",
        # vLLM has no MLA kernel for CPUs; plain attention takes its place.
        "VLLM_MLA_DISABLE": "1",
    },
    "ray_cluster_start_options": ["--object-store-memory=100000000"],
    # All nodes share the disk of this machine.
    "gpu_check_min_disk_gib": 5,
    # What systemd may give to a unit on a node of the lab.
    "ray_cluster_open_files": 20000,
    "vllm_serve_open_files": 20000,
    "vllm_serve_max_model_len": 256,
    # In bfloat16 rounding decides what follows a prompt that was never trained; in float32 every shape says
    # the same, and a program that knows nothing of vLLM says it too. Ids, for two tokens may look alike.
    "vllm_serve_options": ["--num-gpu-blocks-override=128", "--dtype=float32", "--return-tokens-as-token-ids"],
}


def lane(prepared: dict[str, str], hub: str, torch_index: str) -> dict:
    """LANE with what is known only at run time: `prepare()`'s answer, the hub's address, where torch is."""
    wheel = {"url": f"{hub}/files/{prepared['platform_wheel']}", "sha256": prepared["platform_sha256"]}
    return LANE | {"vllm_build_torch_index": torch_index, "vllm_build_extra_wheels": [wheel]}
