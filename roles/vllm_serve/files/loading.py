# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the engine's start is, from what it wrote to the journal since it was started.

The stages are those of vLLM 0.7.2; another version's lines that are not known leave it at the stage before.
"""

import json
import os
import re
import socket
import subprocess
import urllib.parse

STAGES = (
    (r"Initializing a V\d LLM engine|Connecting to existing Ray", "Starting the ranks"),
    (r"Starting to load model", "Loading the model"),
    (r"Loading (?:safetensors|pt) checkpoint shards: .*?\| *(\d+)/(\d+) ", "Loading the model"),
    (r"Loading model weights took", "Measuring the memory"),
    (r"blocks: \d+", "Warming up"),
    (r"Capturing CUDA ?graph.*?\| *(\d+)/(\d+) ", "Capturing CUDA graphs"),
    (r"Graph capturing finished|init engine .*took", "Starting the server"),
    (r"Application startup complete", "Waiting for the first token"),
)
# As in "(EngineCore pid=7) ERROR 11-26 05:16:37 [core.py:1510] ", in colours or not.
BEFORE = re.compile(
    r"^(?: |\x1b\[[\d;]*m|\(\w+ pid=[^)]*\) ?|(?:ERROR|CRITICAL) \d\d-\d\d [\d:]{8} (?:\[?[\w.]+:\d+\]?) ?)*"
)
ERROR = re.compile(r"(?!ray\.exceptions\.RayTaskError)[A-Za-z_][\w.]*(?:Error|Exception)(?:\(\w+\))?: \S")
NAMES = list(dict.fromkeys(name for _pattern, name in STAGES))
CHECKING = "Comparing ranks, facts and the fingerprint"
STEPS = len(NAMES) + 1


def stage(lines):
    """The furthest stage that any line tells: what other ranks say arrives late, and takes nothing back."""
    reached, amount = 0, {}
    for line in lines:
        for pattern, name in STAGES:
            found = re.search(pattern, line)
            if found and NAMES.index(name) >= reached:
                reached = NAMES.index(name)
                amount = {"done": int(found[1]), "total": int(found[2])} if found.groups() else {}
    return {"what": NAMES[reached], "step": reached + 1, "steps": STEPS, **amount}


def require_listener(url):
    """At once, for an engine listens only when all is loaded. Raises OSError."""
    place = urllib.parse.urlsplit(url)
    socket.create_connection((place.hostname, place.port), timeout=10).close()


def journal(unit, most=400):
    """The last lines of this start of the unit, at most so many."""
    show = ["systemctl", "show", unit, "--value", "--property=InvocationID"]
    return lines_of(subprocess.run(show, capture_output=True, text=True, check=False).stdout.strip(), most)


def lines_of(invocation, most):
    """The last lines of one start of a unit, by its InvocationID."""
    # --all: progress bars have carriage returns, for which the journal would show a size in bytes only.
    command = [
        "journalctl",
        f"_SYSTEMD_INVOCATION_ID={invocation}",
        f"--lines={most}",
        "--output=cat",
        "--no-pager",
        "--all",
    ]
    shown = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout
    return [piece for line in shown.splitlines() for piece in line.split("\r")]


def last_words(lines):
    """The first error that these lines name, for what follows it is what it broke; else the last line.

    Each rank and Ray put words of their own before it, and Ray tells the same error once more as its own.
    """
    return first_error(lines) or (plain(lines)[-1:] or ["nothing yet"])[0][:300]


def first_error(lines):
    """The first error that these lines name, or nothing."""
    return next((line[:300] for line in plain(lines) if ERROR.match(line)), "")


def plain(lines):
    """Without what ranks and loggers put before them."""
    return [BEFORE.sub("", line).strip() for line in lines if line.strip()]


def tell(progress):
    """Print it, and write it to the file that the job was given for it."""
    amount = f", {progress['done']} of {progress['total']}" if "total" in progress else ""
    print(f"{progress['what']}{amount}", flush=True)
    path = os.environ.get("GH200_PROGRESS")
    if path:
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(progress, file)
        os.replace(path + ".new", path)
