# SPDX-License-Identifier: GPL-3.0-or-later
"""Old environments and wheels.

prune.py used VENVS: prints, as a JSON list, the names of the environments in the folder VENVS that a unit or a
process of this node uses. prune.py remove JSON, with venvs, wheelhouse, keep, environments and folders (names that
stay) and dry (only say): removes what nobody uses beyond the newest, and prints the paths.
Only what the role made is looked at: an environment has its own name in .engine, a folder of wheels a manifest.
"""

import glob
import json
import os
import re
import shutil
import sys

UNITS = ["/etc/systemd/system/*.service", "/run/systemd/system/*.service", "/run/systemd/transient/*.service"]
PROCESSES = ["/proc/[0-9]*/cmdline", "/proc/[0-9]*/maps"]


def used(venvs, root="/"):
    """Names of environments that units and processes name."""
    named = re.compile(re.escape(os.path.normpath(venvs)) + r"/([^/\s\0\"']+)")
    places = [path for pattern in UNITS + PROCESSES for path in glob.glob(os.path.join(root, pattern.lstrip("/")))]
    return sorted({name for path in places for name in named.findall(read(path))})


def remove(venvs, wheelhouse, keep, environments, folders, dry):
    """Paths that go, environments first. Raises OSError."""
    staying = {*environments, *linked(venvs)}
    made = [path for path in newest(venvs) if read(os.path.join(path, ".engine")).strip() == os.path.basename(path)]
    gone = [path for path in made[keep:] if os.path.basename(path) not in staying]
    wheels = {*folders, *(name for path in made if path not in gone for name in sources(path))}
    built = [
        path
        for path in newest(wheelhouse)
        if all(os.path.isfile(os.path.join(path, name)) for name in ("manifest.json", "SHA256SUMS"))
    ]
    gone += [path for path in built[keep:] if os.path.basename(path) not in wheels]
    for path in [] if dry else gone:
        # The mark goes first: what is half removed is taken for nothing.
        for mark in (".engine", ".complete", "SHA256SUMS"):
            if os.path.exists(os.path.join(path, mark)):
                os.unlink(os.path.join(path, mark))
        shutil.rmtree(path)
    return gone


def newest(folder):
    """Folders in it that are no links, the newest first."""
    paths = [path for path in glob.glob(os.path.join(folder, "*")) if os.path.isdir(path) and not os.path.islink(path)]
    return sorted(paths, key=lambda path: (os.stat(path).st_mtime, path), reverse=True)


def linked(folder):
    """Names that links in the folder lead to."""
    return [
        os.path.basename(os.readlink(path)) for path in glob.glob(os.path.join(folder, "*")) if os.path.islink(path)
    ]


def sources(environment):
    """Names of the folders of wheels that it was installed from."""
    return read(os.path.join(environment, ".wheels")).split()


def read(path):
    """Text of a file; nothing where there is none, or it may not be read, as of a process that has ended."""
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""


def main():
    if sys.argv[1] == "used":
        print(json.dumps(used(sys.argv[2])))
        return
    try:
        print(json.dumps(remove(**json.loads(sys.argv[2]))))
    except OSError as error:
        sys.exit(f"{error.filename} cannot be removed ({error.strerror}): remove it by hand, or see who uses it.")


if __name__ == "__main__":
    main()
