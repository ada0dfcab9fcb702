#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""In the place of Debian's wrapper /usr/bin/nvcc, on nodes that build vLLM in minutes.

Sources below csrc/ that /etc/nvcc-real-sources.txt names go to the compiler, and so does
whatever is not a source of vLLM. Of the others the compiler plans every step (--dryrun), and
an empty object takes their place. Each is recorded in /var/log/nvcc, one file for one source."""

import json
import os
import re
import resource
import subprocess
import sys
import time

TOOLS = "/usr/lib/nvidia-cuda-toolkit/bin"
REAL = "/etc/nvcc-real-sources.txt"
LOG = "/var/log/nvcc"


def main(arguments):
    os.environ["PATH"] = f"{TOOLS}:{os.environ.get('PATH', '')}"
    compiler = f"{TOOLS}/nvcc"
    wanted = parse(arguments)
    if not wanted["source"] or not wanted["object"]:
        os.execv(compiler, [compiler, *arguments])
    planned = subprocess.run([compiler, "--dryrun", *arguments], stderr=subprocess.PIPE, text=True, check=False)
    if planned.returncode:
        sys.stderr.write(planned.stderr)
        return planned.returncode
    with open(REAL, encoding="utf-8") as listed:
        real = wanted["source"] in {line.strip() for line in listed}
    started = time.monotonic()
    status = subprocess.run([compiler, *arguments], check=False).returncode if real else stand_in(wanted)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    record(
        {
            "source": wanted["source"],
            "real": real,
            "status": status,
            "seconds": round(time.monotonic() - started, 1),
            "cpu_seconds": round(used.ru_utime + used.ru_stime, 1),
            "peak_mb": used.ru_maxrss // 1024,
            "flags": flags(arguments),
            "architectures": architectures(planned.stderr),
        }
    )
    return status


def parse(arguments):
    """Source (below csrc/), object and file of dependencies of a command line; empty where there is none."""
    wanted = {"source": "", "object": "", "depends": "", "path": ""}
    for before, word in zip(["", *arguments], arguments, strict=False):
        if before in ("-o", "-MF"):
            wanted["object" if before == "-o" else "depends"] = word
        elif word.endswith(".cu") and "/csrc/" in word:
            wanted["path"], wanted["source"] = word, word.rpartition("/csrc/")[2]
    return wanted


def flags(arguments):
    """The targets that were asked for, as `-gencode` has them."""
    return sorted(re.findall(r"arch=(compute_\w+),code=\[?([\w,]+)", " ".join(arguments)))


def architectures(plan):
    """The targets that the compiler would assemble for, out of its plan."""
    return sorted(set(re.findall(r"ptxas[^\n]* -arch[= ](sm_\w+)", plan)))


def stand_in(wanted):
    """An empty object, and what ninja wants to know about it."""
    if wanted["depends"]:
        with open(wanted["depends"], "w", encoding="utf-8") as depends:
            depends.write(f"{wanted['object']}: {wanted['path']}\n")
    command = ["g++", "-fPIC", "-x", "c++", "-c", "/dev/null", "-o", wanted["object"]]
    return subprocess.run(command, check=False).returncode


def record(entry):
    """One file for one source: builds run at once."""
    with open(os.path.join(LOG, entry["source"].replace("/", "--") + ".json"), "w", encoding="utf-8") as log:
        json.dump(entry, log)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
