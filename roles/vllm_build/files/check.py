# SPDX-License-Identifier: GPL-3.0-or-later
"""What `vllm --help` does not find out: each compiled part is loaded and used once."""

import importlib
import json
import sys
from importlib.metadata import version as installed


def main(device, version, cuda, fixes=(), package="vllm"):
    problems = [str(error) for check in CHECKS if (error := attempt(check, device, version, cuda))]
    problems[:0] = [str(error) for error in [attempt(versions, package, version, cuda)] if error]
    problems += [str(error) for error in [attempt(routing, version, fixes)] if error]
    if problems:
        sys.exit("; ".join(problems))
    print(f"{package} {installed(package)} and torch {installed('torch')} work on this node")


def attempt(check, *args):
    """The sentence of what failed, or None."""
    try:
        return check(*args)
    except Exception as error:
        return f"{check.__doc__} {type(error).__name__}: {error}"


def versions(package, version, cuda):
    """Reading the versions failed:"""
    import torch

    found = installed(package)
    if found.split("+")[0] != version.split("+")[0]:
        return f"{package} is {found}, wanted is {version}"
    if (torch.version.cuda or "") != cuda:
        return f"torch is built for CUDA {torch.version.cuda}, wanted is {cuda or 'none'}"


def extensions(device, version, cuda):
    """The compiled modules of vLLM do not load:"""
    import torch

    for name in ["vllm._C", "vllm._moe_C"] if device == "cuda" else []:
        importlib.import_module(name)
    if device != "cuda":
        load_for_cpu()
    x = torch.ones(2, 32, device=device)
    out = torch.empty(2, 16, device=device)
    torch.ops._C.silu_and_mul(out, x)
    if not torch.allclose(out.cpu(), torch.full((2, 16), 0.7310586)):
        return f"a compiled operation of vLLM gave {out[0, 0].item()} where 0.7310586 is right"


def load_for_cpu():
    """Later releases have a module for each kind of processor, and know themselves which."""
    from vllm.platforms import current_platform

    if hasattr(current_platform, "import_kernels"):
        current_platform.import_kernels()
    else:
        importlib.import_module("vllm._C")


def triton_imports(device, version, cuda):
    """Triton does not load:"""
    if device == "cuda" or version == "0.7.2":
        importlib.import_module("triton")
    if version == "0.7.2":
        importlib.import_module("setuptools")  # Triton 3.1 needs it when it compiles


def routing(version, fixes):
    """The routing of the experts does not work:"""
    if version != "0.7.2":
        return None
    import torch
    from vllm.model_executor.layers.fused_moe.fused_moe import grouped_topk

    # Two groups of four: the first has the best expert, the second the best pair. Not compiled, for that takes long.
    logits = torch.tensor([[4.0, -4, -4, -4, 2, 2, -4, -4]])
    choose = getattr(grouped_topk, "_torchdynamo_orig_callable", grouped_topk)
    bias = torch.zeros(8)
    dummy, chosen = choose(
        logits, logits, 2, True, num_expert_group=2, topk_group=1, scoring_func="sigmoid", e_score_correction_bias=bias
    )
    rule = "the best two" if sorted(chosen[0].tolist()) == [4, 5] else "the best"
    wanted = "the best two" if "grouped_topk" in fixes else "the best"
    if rule != wanted:
        return (
            f"vllm ranks groups of experts by {rule} in them, "
            f"and vllm_build_fixes {list(fixes)} means by {wanted}: the wheel is another"
        )


def gpu(device, version, cuda):
    """The GPU does not work:"""
    if device != "cuda":
        return None
    import torch

    if torch.cuda.get_device_capability() != (9, 0):
        return f"the GPU has compute capability {torch.cuda.get_device_capability()}, this build is for (9, 0)"
    compile_kernel()
    attend()


def attend():
    """The attention of one token to itself is its own value: flash-attention is loaded and used."""
    import torch
    from vllm.vllm_flash_attn import flash_attn_varlen_func

    q, k, v = torch.randn(3, 2, 4, 64, device="cuda", dtype=torch.bfloat16)
    ends = torch.arange(3, device="cuda", dtype=torch.int32)
    out = flash_attn_varlen_func(
        q=q, k=k, v=v, max_seqlen_q=1, cu_seqlens_q=ends, max_seqlen_k=1, cu_seqlens_k=ends, causal=True
    )
    if not torch.allclose(out.float(), v.float(), atol=1e-2):
        raise RuntimeError("flash-attention gave another value than the only one there was")


def compile_kernel():
    """Triton reads the source of a kernel from a file, so it cannot stand in this text."""
    import pathlib
    import tempfile

    import torch

    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "gh200_kernel.py").write_text(
            "import triton\nimport triton.language as tl\n\n\n"
            "@triton.jit\ndef double(x, n: tl.constexpr):\n"
            "    at = tl.arange(0, n)\n    tl.store(x + at, tl.load(x + at) * 2)\n",
            encoding="utf-8",
        )
        sys.path.insert(0, folder)
        x = torch.ones(64, device="cuda")
        importlib.import_module("gh200_kernel").double[(1,)](x, 64)
    if x.sum().item() != 128:
        raise RuntimeError(f"a Triton kernel gave {x.sum().item()} where 128 is right")


CHECKS = [extensions, triton_imports, gpu]

if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
