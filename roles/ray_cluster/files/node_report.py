# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node says of itself every two seconds: its ranks, memory, disks and GPUs. Reads a few files, no more."""

import glob
import os
import subprocess
import threading
import time

WORKER = b"ray::RayWorker"  # RayWorkerWrapper, and since 0.20 or so RayWorkerProc
# Where Ray, vLLM and the system write; a model lies where it is, and is only read.
PLACES = ("/", "/tmp", "/var/lib/gh200", "/var/cache/gh200", "/dev/shm")
GPU_INTERVAL = 10
GPU_QUERY = ("nvidia-smi", "--query-gpu=memory.used,memory.total", "--format=csv,noheader,nounits")


class Report:
    """Of one start of Ray on this node."""

    def __init__(self, name):
        self.name = name
        self.start = f"{boot()}-{os.getpid()}-{time.monotonic():.0f}"
        self.began = time.monotonic()
        self.gpus, self.gpus_at = None, None
        threading.Thread(target=self.watch_gpus, daemon=True).start()

    def now(self):
        """As it is sent. Sizes are bytes; gpus None: nvidia-smi has not answered for a minute."""
        late = self.gpus_at is None or time.monotonic() - self.gpus_at > 60
        return {
            "name": self.name,
            "start": self.start,
            "uptime": time.monotonic() - self.began,
            "ranks": ranks(),
            "memory": memory(),
            "disks": disks(),
            "gpus": None if late else self.gpus,
        }

    def watch_gpus(self):
        """In a thread of its own: a GPU that has gone may hold nvidia-smi for ever."""
        while True:
            try:
                shown = subprocess.run(GPU_QUERY, capture_output=True, text=True, check=True, timeout=30).stdout
                self.gpus = [
                    dict(zip(("used", "total"), (int(part) << 20 for part in line.split(",")), strict=False))
                    for line in shown.splitlines()
                ]
                self.gpus_at = time.monotonic()
            except (OSError, ValueError, subprocess.SubprocessError):
                pass
            time.sleep(GPU_INTERVAL)


def boot():
    """Another one after each boot."""
    return read("/proc/sys/kernel/random/boot_id").strip()


def ranks():
    """Process and state (T is stopped, D is in the kernel) of each worker of vLLM that Ray runs here."""
    found = []
    for folder in glob.glob("/proc/[0-9]*"):
        try:
            with open(f"{folder}/cmdline", "rb") as stream:
                if not stream.read(len(WORKER)).startswith(WORKER):
                    continue
        except OSError:
            continue
        state = read(f"{folder}/stat").rpartition(")")[2].split()[:1]
        if state and state[0] not in "ZX":
            found.append({"pid": int(folder[6:]), "state": state[0]})
    return found


def memory():
    """What there is for Ray, of the machine or of a group with a limit; and how many processes the kernel killed."""
    lines = dict(line.split(":", 1) for line in read("/proc/meminfo").splitlines() if ":" in line)
    total, free = (int(lines[name].split()[0]) << 10 for name in ("MemTotal", "MemAvailable"))
    for folder in groups():
        limit, used = number(f"{folder}/memory.max"), number(f"{folder}/memory.current")
        limit = limit or number(f"{folder}/memory.limit_in_bytes")
        used = used or number(f"{folder}/memory.usage_in_bytes")
        if limit and used is not None and limit < total:
            # What the page cache holds can be had.
            cached = field(f"{folder}/memory.stat", ("inactive_file", "total_inactive_file"))
            total, free = limit, min(free, limit - used + cached)
    return {"total": total, "free": max(0, free), "kills": killed()}


def killed():
    """Processes of Ray's own group, else of the machine, that the kernel killed for want of memory."""
    for folder in groups()[:1]:
        return field(f"{folder}/memory.events", ("oom_kill",)) or field(f"{folder}/memory.oom_control", ("oom_kill",))
    return field("/proc/vmstat", ("oom_kill",))


def groups():
    """Folders of this process's control group and of those above it, in either hierarchy."""
    found = []
    for line in read("/proc/self/cgroup").splitlines():
        dummy, controllers, path = line.split(":", 2)
        root = {"": "/sys/fs/cgroup", "memory": "/sys/fs/cgroup/memory"}.get(controllers)
        while root:
            if os.path.exists(f"{root}{path}/memory.stat"):
                found.append(f"{root}{path}".rstrip("/"))
            if path in ("/", ""):
                break
            path = os.path.dirname(path)
    return found


def disks():
    """Size and free bytes by path, each filesystem once."""
    found, seen = {}, set()
    for place in PLACES:
        try:
            status, device = os.statvfs(place), os.stat(place).st_dev
        except OSError:
            continue
        if device not in seen:
            seen.add(device)
            found[place] = {"size": status.f_blocks * status.f_frsize, "free": status.f_bavail * status.f_frsize}
    return found


def number(path):
    """The number in a file, or None."""
    text = read(path).strip()
    return int(text) if text.isdigit() else None


def field(path, names):
    """The number behind the first of these names in a file of names and numbers, or 0."""
    lines = dict(line.split(" ", 1) for line in read(path).splitlines() if " " in line)
    return next((int(lines[name]) for name in names if name in lines), 0)


def read(path):
    """The text of a file, empty where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""
