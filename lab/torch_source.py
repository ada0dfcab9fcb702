# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the nodes get torch for a CPU from; they have the package sources of this machine."""

from __future__ import annotations

import subprocess
import sys

VERSION = "2.13.0"
INDEX = "https://download.pytorch.org/whl/cpu"


def torch_index() -> str:
    """Empty when pip finds the CPU build by itself, else the index that has it."""
    asked = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--dry-run",
            "--ignore-installed",
            "--no-deps",
            "--no-input",
            "--only-binary=:all:",
            f"torch=={VERSION}+cpu",
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
        check=False,
    )
    return INDEX if asked.returncode else ""
