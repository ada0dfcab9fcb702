# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions for nodes without a GPU: those that the vllm_build role pins for the GH200, but for what is named here."""

from __future__ import annotations

import yaml

from ..config import REPOSITORY

ROLE = REPOSITORY / "roles" / "vllm_build" / "defaults" / "main" / "pins.yml"
# torch 2.13 asks for them: setuptools from 77.0.3 on, sympy from 1.13.3 on.
RAISED = {"setuptools": "80.9.0", "sympy": "1.13.3"}
# What only a GPU, or a download from the real hub, needs; and what compiles Triton, which is not compiled here.
LEFT_OUT = ("hf-transfer", "nvidia-ml-py")
TRITON_TOOLS = ("build", "pybind11", "pyproject-hooks")
# Checksums of the raised ones, made by scripts/lock.py; those of the others are the role's.
LOCK = REPOSITORY / "lab" / "engine" / "lock.txt"


def raised() -> list[str]:
    """NAME==VERSION of what the role pins otherwise."""
    return sorted(f"{name}=={version}" for name, version in RAISED.items())


def constraints() -> list[str]:
    """NAME==VERSION of what may be installed."""
    return _derived("vllm_build_constraints", LEFT_OUT)


def tools() -> list[str]:
    """NAME==VERSION of what compiles vLLM."""
    return _derived("vllm_build_tools", TRITON_TOOLS)


def _derived(variable: str, left_out: tuple[str, ...]) -> list[str]:
    """The role's list in its order: the order is part of the name of the environment on the nodes."""
    pinned = (line.split("==") for line in yaml.safe_load(ROLE.read_text(encoding="utf-8"))[variable])
    return [f"{name}=={RAISED.get(name, version)}" for name, version in pinned if name not in left_out]
