# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's own playbooks build vLLM 0.7.2 with CUDA 12.4 for sm_90, on a node without a GPU.

Ten minutes on two cores, once 2 GB of downloads. Sources of lab/cuda/real-sources.txt are compiled
for real, the compiler plans the others. The play must end where a GPU is needed, and nowhere else."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from .conftest import playbook

LISTED = Path(__file__).resolve().parents[2] / "lab/cuda/real-sources.txt"
REAL = {line for line in LISTED.read_text(encoding="utf-8").splitlines() if not line.startswith("#")}
# vLLM 0.7.2 gives this one no target at all: it has no kernels, and nvcc takes its own default.
WITHOUT_TARGET = "quantization/machete/machete_pytorch.cu"
LOAD = """
import importlib, sys, torch
importlib.import_module(f"vllm.{sys.argv[1]}")
for name in sys.argv[2:]:
    print(getattr(getattr(torch.ops, sys.argv[1]), name).default._schema)
"""
# Names of the kernels that were left out: a library beside the module has them, so that the rest of it can be loaded.
STAND_IN = r"""
set -euo pipefail
module=$(find {venv}/lib/python3.11/site-packages/vllm -name _C.abi3.so)
libraries=$({python} -c 'import pathlib, torch; print(pathlib.Path(torch.__file__).parent / "lib")')
LD_LIBRARY_PATH=$libraries ldd -r "$module" 2>&1 | sed -n 's/^undefined symbol: \([A-Za-z0-9_]*\).*/\1/p' |
  grep -v '^_\?Py' | sort -u > /tmp/left-out
sed 's/.*/void &(void) {{}}/' /tmp/left-out | gcc -shared -fPIC -fno-builtin -x c -o /tmp/left-out.so -
cat /tmp/left-out
"""


@pytest.fixture(name="records", scope="session")
def commands_of_the_compiler(built):
    """What was asked of nvcc, by source."""
    text = built[2].run("for file in /var/log/nvcc/*.json; do cat $file; echo; done")
    return {entry["source"]: entry for entry in map(json.loads, text.splitlines())}


def test_the_play_ends_where_a_gpu_is_needed(built):
    status, output, dummy = built
    assert status != 0
    tasks = re.split(r"^TASK \[", output, flags=re.MULTILINE)
    failed = [task for task in tasks if "fatal:" in task]
    assert len(failed) == 1 and failed[0].startswith("gh200.inference.vllm_build : Check what was compiled]")
    assert "The GPU does not work" in failed[0]
    assert "Traceback" not in output


def test_the_toolkit_lies_as_on_the_real_image(built):
    node = built[2]
    assert node.run("command -v nvcc").strip() == "/usr/bin/nvcc"
    assert "release 12.4" in node.run("nvcc --version")
    assert node.run("ls -d /usr/include/cuda_runtime.h /usr/lib/x86_64-linux-gnu/libcudart.so")
    assert node.run("find /usr/local -iname '*cuda*' -o -iname '*nvcc*'") == ""


def test_the_wheel_is_named_and_described(built):
    node = built[2]
    files = node.run(f"cd {node.wheelhouse}; ls; sha256sum --check --quiet SHA256SUMS").split()
    (wheel,) = [name for name in files if name.endswith(".whl")]
    assert re.fullmatch(r"vllm-0\.7\.2\+gh200\.cu124-cp311-cp311-linux_x86_64\.whl", wheel)
    manifest = json.loads(node.run(f"cat {node.wheelhouse}/manifest.json"))
    assert any("V12.4.131" in line for line in manifest["compiler"])
    print(f"\n{wheel}: {manifest['seconds']} s")


def test_every_source_has_the_right_target(records):
    assert len(records) == 55
    assert {source for source, entry in records.items() if entry["status"]} == set()
    odd = {source: entry["flags"] for source, entry in records.items() if len(entry["flags"]) != 1}
    assert odd == {WITHOUT_TARGET: []}
    targets = Counter(entry["flags"][0][1] for entry in records.values() if entry["flags"])
    assert targets == {"sm_90": 37, "sm_90a": 17}
    hopper = {source for source, entry in records.items() if entry["flags"] == [["compute_90a", "sm_90a"]]}
    assert hopper == {source for source in records if re.search("_c3x|/c3x/|machete/generated", source)}


def test_the_compiler_plans_for_the_targets_that_it_was_given(records):
    planned = {source: entry["architectures"] for source, entry in records.items() if source != WITHOUT_TARGET}
    assert planned == {source: [entry["flags"][0][1]] for source, entry in records.items() if source != WITHOUT_TARGET}


def test_what_the_list_names_was_compiled_for_real(records):
    real = {source: entry for source, entry in records.items() if entry["real"]}
    assert set(real) == REAL
    for source, entry in sorted(real.items()):
        used = f"{entry['seconds']:7.1f} s {entry['cpu_seconds']:7.1f} s of CPU {entry['peak_mb']:5d} MB"
        print(f"\n{used} {entry['flags'][0][1]:7} {source}", end="")


def test_the_installed_modules_hold_one_piece_of_code_for_each(built, records):
    node, wanted, code = built[2], {"_C": Counter(), "_moe_C": Counter()}, {}
    for source in REAL:
        wanted["_moe_C" if source.startswith("moe/") else "_C"][records[source]["flags"][0][1]] += 1
    for name in wanted:
        listed = node.run(f"cuobjdump --list-elf {node.venv}/lib/python3.11/site-packages/vllm/{name}.abi3.so")
        code[name] = Counter(re.findall(r"\.(sm_\w+)\.cubin", listed))
    print(f"\n{code}")
    assert code == wanted


def schemas(module, output):
    """Names of the operations whose schema was printed; vLLM prints lines of its own before them."""
    return re.findall(rf"^{module}::(\w+)\(", output, re.MULTILINE)


def test_the_module_of_the_experts_loads_as_it_is(built):
    wanted = ("topk_softmax", "moe_align_block_size", "moe_sum")
    assert schemas("_moe_C", built[2].python(LOAD, "_moe_C", *wanted)) == list(wanted)


def test_the_main_module_loads_with_names_for_what_was_left_out(built):
    node = built[2]
    left_out = node.run(STAND_IN.format(venv=node.venv, python=f"{node.venv}/bin/python"))
    planned = ("_Z18paged_attention_v1", "cutlass_scaled_mm_sm90_int8", "_Z9gptq_gemm")
    compiled = ("_Z8rms_norm", "_Z12silu_and_mul", "_Z20concat_and_cache_mla", "cutlass_scaled_mm_blockwise_sm90_fp8")
    assert [name for name in planned + compiled if name in left_out] == list(planned)
    wanted = ("rms_norm", "silu_and_mul", "rotary_embedding", "cutlass_scaled_mm")
    operations = node.python(LOAD, "_C", *wanted, before="LD_PRELOAD=/tmp/left-out.so")
    assert schemas("_C", operations) == list(wanted)


def test_vllm_is_installed_as_that_version(built):
    versions = built[2].python("from importlib.metadata import version as v; print(v('vllm'), v('torch'), v('triton'))")
    assert versions.split() == ["0.7.2+gh200.cu124", "2.5.1", "3.1.0"]


def test_a_second_run_builds_nothing(built):
    status, output = playbook("build")
    assert status != 0
    recap = re.search(r"^cuda-00\s+: ok=\d+\s+changed=(\d+)\s+unreachable=0\s+failed=(\d+)", output, re.MULTILINE)
    assert recap.groups() == ("0", "1")
    assert "The GPU does not work" in output
