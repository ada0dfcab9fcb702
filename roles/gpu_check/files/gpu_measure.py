# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the GPUs of this machine through the CUDA driver library, and prints one JSON object.

It needs the driver and nothing else: no toolkit, no PyTorch. The kernels are PTX text that the driver compiles, and
their results are compared too, because a GPU that computes wrongly computes fast. Measures take about a second per GPU.
"""

import ctypes
import json
import math
import sys
import time

BUFFER = 1 << 30  # bytes that are copied on the GPU
PINNED = 1 << 28  # bytes that are copied to the GPU
THREADS = 256
BLOCKS_PER_PROCESSOR = 16
# Repeats of the loop, and operations of one thread in one pass of it.
FMA_ROUNDS, FMA_FLOPS = 1 << 15, 2 * 8 * 16
MMA_ROUNDS, MMA_FLOPS = 1 << 13, 2 * 16 * 8 * 16 * 8 * 4 // 32

KERNEL = """\
.version 7.0
.target sm_80
.address_size 64
.visible .entry {name}(.param .u64 out, .param .u32 rounds)
{{
  .reg .pred more;
  .reg .b32 block, size, thread, index, left, one;
  .reg .b64 address, offset;
  .reg .f32 half, unit, sum, x<32>;
  mov.u32 block, %ctaid.x;
  mov.u32 size, %ntid.x;
  mov.u32 thread, %tid.x;
  mad.lo.u32 index, block, size, thread;
  mul.wide.u32 offset, index, 4;
  ld.param.u64 address, [out];
  cvta.to.global.u64 address, address;
  add.u64 address, address, offset;
  ld.param.u32 left, [rounds];
  mov.f32 half, 0f3F000000;
  mov.f32 unit, 0f3F800000;
  mov.b32 one, 0x3F803F80;
{first}
again:
{body}
  sub.u32 left, left, 1;
  setp.ne.u32 more, left, 0;
  @more bra again;
{last}
  st.global.f32 [address], sum;
  ret;
}}
"""


class Refused(Exception):
    """The driver answers a call with an error: (call, number, name)."""


STUB = 34  # CUDA_ERROR_STUB_LIBRARY: a build machine has it, to link against


class Driver:
    """The CUDA driver library; a call that fails raises Refused."""

    def __init__(self):
        self.library = ctypes.CDLL("libcuda.so.1")

    def __getattr__(self, name):
        function = getattr(self.library, name)

        def call(*arguments):
            number = function(*arguments)
            if number:
                text = ctypes.c_char_p()
                self.library.cuGetErrorName(number, ctypes.byref(text))
                raise Refused(name, number, (text.value or b"unknown error").decode())

        return call

    def get(self, name, kind, *arguments):
        """The value that a call writes to its first argument."""
        value = kind()
        getattr(self, name)(ctypes.byref(value), *arguments)
        return value


def fma_kernel():
    """PTX of fused multiply-adds in single precision: x = x / 2 + 1, which ends at 2 exactly."""
    numbers = range(8)
    first = ["  cvt.rn.f32.u32 x0, thread;"] + [f"  add.f32 x{n}, x{n - 1}, unit;" for n in numbers[1:]]
    body = [f"  fma.rn.f32 x{n}, x{n}, half, unit;" for n in numbers] * 16
    return kernel("fma", first, body, total(numbers))


def mma_kernel():
    """PTX of products of 16x16 and 16x8 matrices of ones in bfloat16 on the tensor cores: each adds 16."""
    numbers = range(0, 32, 4)
    body = [
        f"  mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {{{', '.join(f'x{n + k}' for k in range(4))}}}, "
        f"{{one, one, one, one}}, {{one, one}}, {{{', '.join(f'x{n + k}' for k in range(4))}}};"
        for n in numbers
    ] * 4
    return kernel("mma", [f"  mov.f32 x{n}, 0f00000000;" for n in range(32)], body, total(numbers))


def kernel(name, first, body, last):
    """PTX of a kernel with lines of instructions before, in and after its loop."""
    return KERNEL.format(name=name, first="\n".join(first), body="\n".join(body), last="\n".join(last))


def total(numbers):
    """Instructions that add up registers x..."""
    return [f"  mov.f32 sum, x{numbers[0]};"] + [f"  add.f32 sum, sum, x{n};" for n in numbers[1:]]


def best_seconds(driver, action, times=3):
    """Shortest duration in seconds of some runs, after one that warms up."""
    taken = []
    for dummy in range(times + 1):
        driver.cuCtxSynchronize()
        started = time.perf_counter()
        action()
        driver.cuCtxSynchronize()
        taken.append(time.perf_counter() - started)
    return min(taken[1:])


def compute(driver, processors, text, name, rounds, flops):
    """(TFLOP/s, the result of every thread) of a kernel; `flops` are operations of a thread per round."""
    module = driver.get("cuModuleLoadData", ctypes.c_void_p, text.encode())
    function = driver.get("cuModuleGetFunction", ctypes.c_void_p, module, name.encode())
    blocks = processors * BLOCKS_PER_PROCESSOR
    threads = blocks * THREADS
    out = driver.get("cuMemAlloc_v2", ctypes.c_uint64, ctypes.c_size_t(4 * threads))
    number = ctypes.c_uint32(rounds)
    arguments = (ctypes.c_void_p * 2)(
        ctypes.cast(ctypes.byref(out), ctypes.c_void_p), ctypes.cast(ctypes.byref(number), ctypes.c_void_p)
    )
    seconds = best_seconds(
        driver, lambda: driver.cuLaunchKernel(function, blocks, 1, 1, THREADS, 1, 1, 0, None, arguments, None)
    )
    results = (ctypes.c_float * threads)()
    driver.cuMemcpyDtoH_v2(results, out, ctypes.c_size_t(4 * threads))
    driver.cuMemFree_v2(out)
    return threads * rounds * flops / seconds / 1e12, results


def copies(driver, free):
    """GB/s that a copy on the GPU reads and writes, and GB/s from the host's pinned memory; {} if memory is short."""
    if free < 3 * BUFFER:
        return {}
    source, target = (driver.get("cuMemAlloc_v2", ctypes.c_uint64, ctypes.c_size_t(BUFFER)) for dummy in range(2))
    host = driver.get("cuMemHostAlloc", ctypes.c_void_p, ctypes.c_size_t(PINNED), 0)
    ctypes.memset(host, 1, PINNED)
    inside = best_seconds(driver, lambda: driver.cuMemcpyDtoD_v2(target, source, ctypes.c_size_t(BUFFER)))
    outside = best_seconds(driver, lambda: driver.cuMemcpyHtoD_v2(target, host, ctypes.c_size_t(PINNED)))
    driver.cuMemFreeHost(host)
    for memory in (source, target):
        driver.cuMemFree_v2(memory)
    return {"copy_gbs": round(2 * BUFFER / inside / 1e9, 1), "host_gbs": round(PINNED / outside / 1e9, 1)}


def measure(driver, ordinal):
    """All measures of one GPU."""
    device = driver.get("cuDeviceGet", ctypes.c_int, ordinal)
    major, minor, processors = (
        driver.get("cuDeviceGetAttribute", ctypes.c_int, number, device).value for number in (75, 76, 16)
    )
    found = {"capability": f"{major}.{minor}"}
    context = driver.get("cuCtxCreate_v2", ctypes.c_void_p, 0, device)
    whole = ctypes.c_size_t()
    free = driver.get("cuMemGetInfo_v2", ctypes.c_size_t, ctypes.byref(whole))
    found["free_share"] = round(free.value / whole.value, 4)
    found.update(copies(driver, free.value))
    wrong = []
    for name, text, rounds, flops, wanted, label in (
        ("fma", fma_kernel(), FMA_ROUNDS, FMA_FLOPS, 16.0, "tflops_fp32"),
        ("mma", mma_kernel(), MMA_ROUNDS, MMA_FLOPS, 16.0 * 8 * 4 * MMA_ROUNDS, "tflops_bf16"),
    ):
        if (major, minor) >= (8, 0):
            speed, results = compute(driver, processors, text, name, rounds, flops)
            found[label] = round(speed, 1)
            wrong += [label] if math.fsum(results) != wanted * len(results) else []
    driver.cuCtxDestroy_v2(context)
    return {**found, "wrong": wrong}


def main():
    """The JSON object: {"skipped": why}, {"error": [call, number, name]} or {"cuda": version, "gpus": [measures]}."""
    try:
        driver = Driver()
    except OSError:
        return {"skipped": "no CUDA driver library"}
    try:
        driver.cuInit(0)
        version = driver.get("cuDriverGetVersion", ctypes.c_int).value
        count = driver.get("cuDeviceGetCount", ctypes.c_int).value
        return {
            "cuda": f"{version // 1000}.{version % 1000 // 10}",
            "gpus": [measure(driver, ordinal) for ordinal in range(count)],
        }
    except Refused as error:
        if error.args[1] == STUB:
            return {"skipped": "libcuda.so.1 is a stub for the linker, and no CUDA driver"}
        return {"error": list(error.args)}


if __name__ == "__main__":
    json.dump(main(), sys.stdout)
