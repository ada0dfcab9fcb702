# SPDX-License-Identifier: GPL-3.0-or-later
"""What a GPU and its node must be like: pure judgements, each of which is silent or raises Unfit."""

import re

ECC = "ecc.errors.uncorrected.volatile.total"
# The oldest that will do: CUDA of the driver, and the driver's branch that brought it, for where only that is known.
CUDA_FLOOR, DRIVER_FLOOR = (12, 3), 545
UNITS = {
    "copy_gbs": "GB/s copied on the GPU",
    "host_gbs": "GB/s from the host",
    "tflops_fp32": "TFLOP/s in fp32",
    "tflops_bf16": "TFLOP/s in bf16",
}
REPLACE = "replace this node: terminate it and launch another"


class Unfit(Exception):
    """What is wrong, and what to do."""


def number(text):
    """A field of nvidia-smi as a number, or None where it has none ([N/A] and the like)."""
    try:
        return float(text)
    except (TypeError, ValueError):
        return None


def free_share(gpu):
    """Free part of the memory, 0 to 1; None where nvidia-smi does not tell."""
    free, total = number(gpu.get("memory.free")), number(gpu.get("memory.total"))
    return free / total if free is not None and total else None


def title(gpu):
    """A GPU in words."""
    return f"GPU {gpu.get('index', '0')} ({gpu.get('name', 'unnamed')})"


def judge_state(gpu, cuda, capability):
    """Raises Unfit for what nvidia-smi tells; `cuda` is the version of the driver's CUDA, None where unknown."""
    name, errors = title(gpu), number(gpu.get(ECC))
    if errors:
        raise Unfit(f"{name} counts {errors:.0f} uncorrected ECC errors since its driver was loaded: {REPLACE}.")
    state, status = gpu.get("fabric.state", ""), gpu.get("fabric.status", "")
    if state in ("In Progress", "Not Started") or (
        state == "Completed" and status not in ("", "Success", "N/A", "[N/A]")
    ):
        raise Unfit(
            f"{name} is not initialised (fabric.state {state}, fabric.status {status or 'unknown'}), CUDA would answer "
            f"error 802, system not yet initialized: {REPLACE}."
        )
    driver = re.match(r"\d+", gpu.get("driver_version", ""))
    wanted = ".".join(map(str, CUDA_FLOOR))
    if cuda and tuple(int(part) for part in cuda.split(".")) < CUDA_FLOOR:
        raise Unfit(
            f"The driver of {name} has CUDA {cuda}, and {wanted} is the oldest that will do: "
            "upgrade the driver and reboot."
        )
    if not cuda and driver and int(driver[0]) < DRIVER_FLOOR:
        raise Unfit(
            f"The driver of {name} is {gpu['driver_version']}, "
            f"and {DRIVER_FLOOR} (CUDA {wanted}) is the oldest that will do: "
            "upgrade the driver and reboot."
        )
    if capability and number(gpu.get("compute_cap")) is not None and gpu["compute_cap"] != capability:
        raise Unfit(
            f"{name} has compute capability {gpu['compute_cap']}, wanted is {capability}: "
            "use another instance type, or set gpu_check_capability."
        )


def floors_of(name, floors):
    """Floors of the longest pattern that the name holds as words; {} for a name that none fits."""
    fitting = [pattern for pattern in floors if re.search(rf"(?<!\w){re.escape(pattern)}(?!\w)", name)]
    return floors[max(fitting, key=len)] if fitting else {}


def judge_measures(gpu, measures, floors):
    """Raises Unfit for what was measured of one GPU."""
    if measures.get("wrong"):
        raise Unfit(
            f"{title(gpu)} computes wrongly ({', '.join(UNITS[label] for label in measures['wrong'])}): {REPLACE}."
        )
    for label, floor in floors_of(gpu["name"], floors).items():
        got = measures.get(label)
        if got is not None and got < floor:
            raise Unfit(
                f"{title(gpu)} reaches {got} {UNITS.get(label, label)}, and {floor} is the least for its kind: "
                f"{REPLACE}, or set gpu_check_floors."
            )


def judge_driver(measured, gpus):
    """Raises Unfit where the CUDA driver refuses to work, or sees fewer GPUs than nvidia-smi."""
    if "error" in measured:
        call, code, name = measured["error"]
        said = "system not yet initialized: the GPU is dead at birth" if code == 802 else name
        raise Unfit(
            f"CUDA answers {call} with error {code}, {said}, though nvidia-smi shows {title(gpus[0])}: {REPLACE}."
        )
    if "failed" in measured:
        raise Unfit(f"Measuring {title(gpus[0])} {measured['failed']}: reboot this node, or {REPLACE}.")
    if "gpus" in measured and len(measured["gpus"]) != len(gpus):
        raise Unfit(
            f"CUDA sees {len(measured['gpus'])} GPUs and nvidia-smi {len(gpus)}: reboot this node, or {REPLACE}."
        )


def judge_node(node, min_disk_gib):
    """Raises Unfit for what is no GPU's fault."""
    if node["disk_free_gib"] < min_disk_gib:
        raise Unfit(
            f"/ has {node['disk_free_gib']} GiB free, wanted are {min_disk_gib}: make room, "
            "or set gpu_check_min_disk_gib."
        )


def describe(gpus, measured, node):
    """One line about a node that is fit."""
    parts = []
    for gpu, measures in zip(gpus, measured.get("gpus") or [{}] * len(gpus), strict=False):
        shown = [f"{measures[label]} {unit}" for label, unit in UNITS.items() if label in measures]
        parts.append(", ".join([f"{title(gpu)}, driver {gpu.get('driver_version')}", *shown]))
    if "skipped" in measured:
        parts.append(f"not measured: {measured['skipped']}")
    interface = (
        f"{node['interface']} at {node['speed_mbits'] or 'unknown'} Mbit/s, MTU {node['mtu']}"
        if node["interface"]
        else "no default route"
    )
    parts += [f"pages of {node['page_size'] // 1024} KiB", interface, f"{node['disk_free_gib']} GiB free on /"]
    return "; ".join(parts + ([] if node["clock_synchronised"] else ["warning: the clock is not synchronised"]))
