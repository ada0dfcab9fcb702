# SPDX-License-Identifier: GPL-3.0-or-later
"""What venv_local_copy saves, on one machine in one run: local_copy.py ENVIRONMENT FOLDER MODULE...

Makes a copy of ENVIRONMENT in FOLDER as the role venv does, and imports the modules from each in turn, five times, with
the files of both out of the page cache. Prints the seconds of each, their ratio, and what an import reads below
ENVIRONMENT: files and bytes, which come from the share without the copy, and not one of them with it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROLE = Path(__file__).resolve().parents[2] / "roles/venv/files/local_copy.py"
ROUNDS = 5
# Runs in the environment: everything that it opens below its own folder, and what is mapped from there.
IMPORT = """
import json, os, sys, time
opened = set()
sys.addaudithook(lambda event, args: opened.add(str(args[0])) if event == "open" else None)
started = time.monotonic()
for name in sys.argv[2:]:
    __import__(name)
seconds = time.monotonic() - started
with open("/proc/self/maps") as maps:
    opened |= {line.split(maxsplit=5)[5].strip() for line in maps if len(line.split(maxsplit=5)) == 6}
files = [path for path in opened if path.startswith(sys.argv[1] + "/") and os.path.isfile(path)]
print(json.dumps({"seconds": seconds, "files": len(files), "bytes": sum(map(os.path.getsize, files))}))
"""


def forget(folder: str) -> None:
    """Takes the files below a folder out of the page cache, and no others."""
    for where, dummy, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            if os.path.isfile(path) and not os.path.islink(path):
                descriptor = os.open(path, os.O_RDONLY)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(descriptor)


def imported(folder: str, modules: list[str]) -> dict:
    """Seconds, files and bytes of one import from the environment in `folder`."""
    forget(folder)
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [f"{folder}/bin/python", "-c", IMPORT, folder, *modules]
    done = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"The modules could not be imported from {folder}: {done.stderr.strip().splitlines()[-1]}")
    return json.loads(done.stdout.splitlines()[-1])


def main(source: str, folder: str, modules: list[str]) -> None:
    spec = importlib.util.spec_from_file_location("local_copy", ROLE)
    role = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(role)
    copy = os.path.join(folder, os.path.basename(source))
    role.make(source, copy)
    # In turn, so that what else the machine does falls on both.
    rounds = [(imported(source, modules), imported(copy, modules)) for dummy in range(ROUNDS)]
    share, local = (statistics.median(pair[side]["seconds"] for pair in rounds) for side in (0, 1))
    read = rounds[0][0]
    print(
        f"import {' '.join(modules)}: {share:.2f} s from {source}, {local:.2f} s from {copy}, ratio {local / share:.2f}"
    )
    print(
        f"read below {source} without the copy: {read['files']} files, {read['bytes'] / 2**20:.0f} MiB; with it: none"
    )


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"), sys.argv[2].rstrip("/"), sys.argv[3:] or ["sys"])
