# SPDX-License-Identifier: GPL-3.0-or-later
"""What nvidia-smi knows of the state of this machine's GPUs. Part of gpu_check.py."""

import re

from gpu_judge import REPLACE, Unfit

FIELDS = (
    "index",
    "name",
    "driver_version",
    "compute_cap",
    "memory.total",
    "memory.free",
    "ecc.errors.uncorrected.volatile.total",
    "fabric.state",
    "fabric.status",
)


def parse_gpus(text, fields):
    """One dictionary per GPU of nvidia-smi's CSV without header and units."""
    rows = [[cell.strip() for cell in line.split(",")] for line in text.splitlines() if line.strip()]
    if not all(len(row) == len(fields) for row in rows):
        raise Unfit(
            f"nvidia-smi answers {text.strip().splitlines()[-1]!r} where the GPU's state is asked for: "
            f"reboot this node, or {REPLACE}."
        )
    return [dict(zip(fields, row, strict=False)) for row in rows]


def query_gpus(run):
    """State of all GPUs. Fields that this driver's nvidia-smi does not know are left out."""
    fields = list(FIELDS)
    while True:
        code, text = run("nvidia-smi", "--query-gpu=" + ",".join(fields), "--format=csv,noheader,nounits")
        unknown = re.search(r'Field "([^"]+)" is not a valid field', text)
        if not unknown or unknown[1] not in fields:
            break
        fields.remove(unknown[1])
    if code is None:
        raise Unfit(
            "nvidia-smi is not installed, so there is no NVIDIA driver: install one, "
            "or use the image of a GPU instance."
        )
    if code or "No devices were found" in text or not text.strip():
        said = (text.strip().splitlines() or ["nothing"])[0]
        raise Unfit(f"nvidia-smi ends with status {code} and says {said!r}, so no GPU can be used: {REPLACE}.")
    return parse_gpus(text, fields)
