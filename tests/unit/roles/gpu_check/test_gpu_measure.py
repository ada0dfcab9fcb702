# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be known of the measurement without a GPU."""

from __future__ import annotations

import ctypes
import re

import pytest


@pytest.fixture(name="program")
def gpu_measure(load):
    return load("gpu_check/gpu_measure.py")


def test_without_the_library_nothing_is_measured(program, monkeypatch):
    def absent(name):
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(program.ctypes, "CDLL", absent)
    assert program.main() == {"skipped": "no CUDA driver library"}


@pytest.mark.parametrize(
    ("code", "name", "said"),
    [
        (802, b"CUDA_ERROR_SYSTEM_NOT_READY", {"error": ["cuInit", 802, "CUDA_ERROR_SYSTEM_NOT_READY"]}),
        (34, b"CUDA_ERROR_STUB_LIBRARY", {"skipped": "libcuda.so.1 is a stub for the linker, and no CUDA driver"}),
    ],
)
def test_a_driver_that_refuses_is_named_and_a_stub_is_none(program, monkeypatch, code, name, said):
    class Library:
        """A driver of a GPU that is dead at birth, or what stands in its place to link against."""

        def __init__(self, file):
            assert file == "libcuda.so.1"

        def cuInit(self, flags):
            return code

        def cuGetErrorName(self, number, text):
            ctypes.cast(text, ctypes.POINTER(ctypes.c_char_p))[0] = name

    monkeypatch.setattr(program.ctypes, "CDLL", Library)
    assert program.main() == said


def test_operations_are_counted_from_the_kernels(program):
    fma, mma = program.fma_kernel(), program.mma_kernel()
    assert 2 * fma.count("fma.rn.f32") == program.FMA_FLOPS
    # One instruction of a warp of 32 threads multiplies 16x16 by 16x8.
    assert mma.count("mma.sync") * 2 * 16 * 8 * 16 // 32 == program.MMA_FLOPS


def test_kernels_use_only_registers_that_they_declare(program):
    for text in (program.fma_kernel(), program.mma_kernel()):
        assert max(int(number) for number in re.findall(r"\bx(\d+)", text)) < 32
        assert text.count("{") == text.count("}")


def test_sums_of_the_matrix_kernel_are_exact_in_single_precision(program):
    assert 16 * 8 * 4 * program.MMA_ROUNDS <= 1 << 24


def test_the_best_of_the_runs_after_the_first_counts(program, monkeypatch):
    clock = iter([0, 1, 10, 15, 20, 23, 30, 34])
    monkeypatch.setattr(program.time, "perf_counter", lambda: next(clock))

    class Driver:
        """A driver that is always ready."""

        def cuCtxSynchronize(self):
            pass

    assert program.best_seconds(Driver(), lambda: None) == 3
