# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes how a wheel was made: manifest.py FILE JSON SOURCE..., with COMPILER and STARTED (seconds) in the
environment."""

import json
import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version


def manifest(told, sources, environment):
    """What is written: `told` by the role, and what this machine says."""
    return {
        "sources": sources,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "torch": torch(),
        "compiler": environment["COMPILER"].strip().splitlines(),
        **told,
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seconds": int(time.time()) - int(environment["STARTED"]),
    }


def torch():
    """Its version; nothing where a wheel was only fetched, before there is one."""
    try:
        return version("torch")
    except PackageNotFoundError:
        return ""


def main(path, told, *sources):
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(manifest(json.loads(told), list(sources), os.environ), stream, indent=2)


if __name__ == "__main__":
    main(*sys.argv[1:])
