#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nvidia-smi prints on a GH200. The silicon is the one part of a node that is not there."""

import sys

GPU = {
    "index": ("0", ""), "count": ("1", ""), "name": ("NVIDIA GH200 480GB", ""), "gpu_name": ("NVIDIA GH200 480GB", ""),
    "uuid": ("GPU-6c4f5a1e-0000-4000-8000-000000000200", ""), "driver_version": ("565.57.01", ""), "compute_cap": ("9.0", ""),
    "memory.total": ("97871", " MiB"), "memory.used": ("1", " MiB"), "memory.free": ("97281", " MiB"),
    "power.draw": ("71.28", " W"), "power.limit": ("900.00", " W"), "temperature.gpu": ("31", ""),
    "utilization.gpu": ("0", " %"), "utilization.memory": ("0", " %"), "pstate": ("P0", ""),
}
TABLE = """\
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 565.57.01              Driver Version: 565.57.01      CUDA Version: 12.7     |
|-----------------------------------------+------------------------+----------------------+
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |
|=========================================+========================+======================|
|   0  NVIDIA GH200 480GB             On  |   00000009:01:00.0 Off |                    0 |
| N/A   31C    P0             71W /  900W |       1MiB /  97871MiB |      0%      Default |
+-----------------------------------------+------------------------+----------------------+"""


def main(arguments):
    options = dict(argument.partition("=")[::2] for argument in arguments)
    if "-L" in options or "--list-gpus" in options:
        print(f"GPU 0: {GPU['name'][0]} (UUID: {GPU['uuid'][0]})")
    elif "--query-gpu" in options:
        return query(options["--query-gpu"].split(","), options.get("--format", "csv").split(","))
    else:
        print(TABLE)
    return 0


def query(fields, form):
    for field in fields:
        if field not in GPU:
            print(f'Field "{field}" is not a valid field to query.')
            return 2
    if "noheader" not in form:
        print(", ".join(fields))
    print(", ".join(GPU[field][0] + ("" if "nounits" in form else GPU[field][1]) for field in fields))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
