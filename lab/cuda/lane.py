# SPDX-License-Identifier: GPL-3.0-or-later
"""The CUDA lane: values that turn the collection's build for a GH200 into the same build on x86_64.
Same sources, same tasks, same architecture of the GPU; what differs is where things come from.

Keys are variables of the roles, so that an inventory can hold them as they are."""

from __future__ import annotations

LANE = {
    "vllm_build_device": "cuda",
    "vllm_build_torch_cuda": "12.4",
    "vllm_build_cutlass_dir": "/opt/cutlass",
    "vllm_build_flash_attention_dir": "/opt/flash-attention",
    # On x86_64 torch names its Triton, and the package index has it.
    "vllm_build_triton": "none",
    "vllm_build_gib_per_job": 6,
    # vLLM asks for xgrammar and xformers on x86_64 only; the set of versions is the one of aarch64.
    "vllm_build_excluded": ["torch", "torchaudio", "torchvision", "triton", "xformers", "xgrammar"],
    "vllm_build_tolerated": [r"^vllm .* requires (torchaudio|xformers|xgrammar), which is not installed"],
    # A copy on this machine would be brought back at the next run, and nothing would be compiled.
    "gh200_wheel_cache": "",
}


def lane(served: dict[str, tuple[str, str]], hub: str) -> dict:
    """LANE with `wheels.publish()`'s answer: by address and checksum, as the real lane takes torch."""
    torch = [f"{package} @ {hub}/files/{file}#sha256={digest}" for package, (file, digest) in served.items()]
    return LANE | {"vllm_build_torch": [*torch, "torchvision==0.20.1"]}
