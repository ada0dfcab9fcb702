# SPDX-License-Identifier: GPL-3.0-or-later
"""What the machine around the GPU tells: its first boot, what serves on it, its memory and its disk."""

import os
import re
import shutil
import subprocess

from gpu_judge import Unfit, number


def command(*argv):
    """(exit status, output) of a program; status None where it does not exist, 124 after a minute."""
    try:
        got = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    except FileNotFoundError:
        return None, ""
    except subprocess.TimeoutExpired:
        return 124, "no answer within 60 s"
    return got.returncode, got.stdout


def read(path):
    """Text of a small file without white space at its ends; "" where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return ""


def node_state(run):
    """Page size in bytes, the default route's interface, free disk, and whether the clock is synchronised."""
    routes = [line.split() for line in read("/proc/net/route").splitlines()[1:]]
    interface = next((route[0] for route in routes if route[1] == "00000000"), "")
    speed = number(read(f"/sys/class/net/{interface}/speed")) if interface else None
    return {
        "page_size": os.sysconf("SC_PAGE_SIZE"),
        "interface": interface,
        "speed_mbits": int(speed) if speed and speed > 0 else None,
        "mtu": read(f"/sys/class/net/{interface}/mtu") if interface else "",
        "disk_free_gib": int(shutil.disk_usage("/").free >> 30),
        "clock_synchronised": run("timedatectl", "show", "-p", "NTPSynchronized")[1].strip() == "NTPSynchronized=yes",
    }


def serving(run):
    """What holds the GPU's memory rightly, in words; None where nothing does."""
    if run("systemctl", "is-active", "vllm")[1].strip() in ("active", "activating", "reloading"):
        return "vllm.service runs"
    for name in os.listdir("/proc"):
        if name.isdigit() and read(f"/proc/{name}/cmdline").startswith("ray::RayWorker"):
            return f"a worker of Ray serves (process {name})"
    return None


def memory_only_nodes(root="/sys/devices/system/node"):
    """Numbers of NUMA nodes without CPUs: a GPU's memory, where the page cache may lie."""
    names = os.listdir(root) if os.path.isdir(root) else []
    return sorted(
        int(name[4:]) for name in names if re.fullmatch(r"node\d+", name) and not read(f"{root}/{name}/cpulist")
    )


def drop_page_cache():
    """Give back what the kernel keeps of files that are on disk."""
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w", encoding="utf-8") as file:
        file.write("3")


def await_first_boot(seconds, argv=("cloud-init", "status", "--wait")):
    """The first boot installs packages and drivers too, so what it leaves is looked at. Raises Unfit when it is late.

    How it ended is not judged: what counts is what the GPU does.
    """
    try:
        subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=seconds,
        )
    except FileNotFoundError:
        return  # a machine that was set up by other means
    except subprocess.TimeoutExpired:
        raise Unfit(
            f"The first boot has not ended after {seconds} s: see `cloud-init status --long` on this node, "
            "or reboot it."
        ) from None
