# SPDX-License-Identifier: GPL-3.0-or-later
"""A Python environment with torch for CPUs and transformers, beside that of the lab, which stays small."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from .. import torch_source
from ..config import REPOSITORY, Paths
from ..shell import follow, run

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def wanted() -> str:
    """Everything that is pinned, torch too."""
    return f"torch=={torch_source.VERSION}+cpu\n{REQUIREMENTS.read_text(encoding='utf-8')}"


def folder(paths: Paths) -> Path:
    """Named after what is in it, so that another set of versions is another environment."""
    return paths.cache / f"reference-{hashlib.sha256(wanted().encode()).hexdigest()[:12]}"


def ensure(paths: Paths, say: Callable[[str], None]) -> Path:
    """Its interpreter; made where it is missing. LabError with the log when pip fails."""
    venv = folder(paths)
    python = venv / "bin" / "python"
    if (venv / "complete").exists():
        return python
    say(f"reference: installing torch {torch_source.VERSION} and transformers in {venv} (1 GB, about a minute)")
    shutil.rmtree(venv, ignore_errors=True)
    paths.logs.mkdir(parents=True, exist_ok=True)
    log = paths.logs / "reference.log"
    run(sys.executable, "-m", "venv", venv, log=log)
    pip = (
        python,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--only-binary=:all:",
    )
    index = torch_source.torch_index()
    more = ("--extra-index-url", index) if index else ()
    run(*pip, *more, "-r", REQUIREMENTS, f"torch=={torch_source.VERSION}+cpu", log=log)
    (venv / "complete").touch()
    return python


def program(paths: Paths, say: Callable[[str], None], module: str, *arguments: Path) -> None:
    """Run a module of the lab in the environment, one thread: two that wait for each other are ten times slower on a
    busy machine.
    """
    paths.logs.mkdir(parents=True, exist_ok=True)
    variables = os.environ | {
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(REPOSITORY),
        "TRANSFORMERS_VERBOSITY": "error",
    }
    follow(ensure(paths, say), "-m", module, *arguments, log=paths.logs / "reference.log", env=variables, say=say)
