#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nvidia-smi prints on a GH200. The silicon is the one part of a node that is not there, and the name says so.

/etc/nvidia-smi-faults.json makes it a bad one: an object of fields and their values, such as {"memory.free": "48000"};
"error" is what it prints instead of any answer, with exit status 9; "compute-apps" is a list of lines "pid, name,
memory".
"""

import json
import sys

FAULTS = "/etc/nvidia-smi-faults.json"
NAME = "NVIDIA GH200 480GB (simulated)"
ECC = "ecc.errors.uncorrected.volatile.total"
GPU = {
    "index": ("0", ""),
    "count": ("1", ""),
    "name": (NAME, ""),
    "gpu_name": (NAME, ""),
    ECC: ("0", ""),
    "fabric.state": ("N/A", ""),
    "fabric.status": ("N/A", ""),
    "uuid": ("GPU-6c4f5a1e-0000-4000-8000-000000000200", ""),
    "driver_version": ("565.57.01", ""),
    "compute_cap": ("9.0", ""),
    "memory.total": ("97871", " MiB"),
    "memory.used": ("1", " MiB"),
    "memory.free": ("97281", " MiB"),
    "power.draw": ("71.28", " W"),
    "power.limit": ("900.00", " W"),
    "temperature.gpu": ("31", ""),
    "utilization.gpu": ("0", " %"),
    "utilization.memory": ("0", " %"),
    "pstate": ("P0", ""),
}
TABLE = """\
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 565.57.01              Driver Version: 565.57.01      CUDA Version: 12.7     |
|-----------------------------------------+------------------------+----------------------+
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |
|=========================================+========================+======================|
|   0  NVIDIA GH200 480GB (simul...   On  |   00000009:01:00.0 Off |                    0 |
| N/A   31C    P0             71W /  900W |       1MiB /  97871MiB |      0%      Default |
+-----------------------------------------+------------------------+----------------------+"""


def main(arguments: list[str]) -> int:
    options = dict(argument.partition("=")[::2] for argument in arguments)
    faults = planted()
    form = options.get("--format", "csv").split(",")
    if "error" in faults:
        print(faults["error"])
        return 9
    if "-L" in options or "--list-gpus" in options:
        print(f"GPU 0: {NAME} (UUID: {GPU['uuid'][0]})")
    elif "--query-gpu" in options:
        return query(options["--query-gpu"].split(","), form, faults)
    elif "--query-compute-apps" in options:
        print(
            "\n".join(
                ([] if "noheader" in form else ["pid, process_name, used_gpu_memory [MiB]"])
                + faults.get("compute-apps", [])
            )
        )
    else:
        print(TABLE)
    return 0


def query(fields: list[str], form: list[str], faults: dict) -> int:
    for field in fields:
        if field not in GPU:
            print(f'Field "{field}" is not a valid field to query.')
            return 2
    if "noheader" not in form:
        print(", ".join(fields))
    print(
        ", ".join(faults.get(field, GPU[field][0]) + ("" if "nounits" in form else GPU[field][1]) for field in fields)
    )
    return 0


def planted() -> dict:
    """What is wrong with this GPU; {} for nothing."""
    try:
        with open(FAULTS, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
