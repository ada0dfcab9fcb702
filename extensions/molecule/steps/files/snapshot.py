# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node has, but for what any use of it changes: snapshot.py remember | compare, which prints what differs."""

import contextlib
import hashlib
import json
import os
import stat
import subprocess
import sys

RECORD = "/run/molecule-snapshot.json"
# The kernel's and the boot's; apt's, dpkg's and systemd's own books; logs; what Ansible, ssh and Python keep.
OTHERS = (
    "/dev", "/proc", "/run", "/sys", "/tmp",
    "/etc/ld.so.cache", "/var/backups", "/var/cache/apt", "/var/cache/debconf", "/var/cache/ldconfig", "/var/cache/man",
    "/var/lib/apt", "/var/lib/cloud", "/var/lib/dpkg", "/var/lib/systemd", "/var/log",
)  # fmt: skip
NAMES = {"__pycache__", ".ansible", ".sudo_as_admin_successful"}
OURS = ("/run/gh200", "/var/log/gh200")


def main(mode):
    found = {"files": dict(files()), "packages": packages(), "units": units()}
    if mode == "remember":
        with open(RECORD, "w", encoding="utf-8") as record:
            json.dump(found, record)
        return None
    with open(RECORD, encoding="utf-8") as record:
        before = json.load(record)
    # JSON has lists for tuples.
    found = json.loads(json.dumps(found))
    lines = [line for part in before for line in differences(part, before[part], found[part])]
    return "\n".join(lines[:40]) or None


def differences(part, before, after):
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield f"{part}: {name}: was {before.get(name, 'missing')}, is {after.get(name, 'missing')}"


def files():
    """Path to kind, mode, owner, and size or target; of settings the contents too."""
    for where, names, others in os.walk("/"):
        names[:] = [name for name in names if name not in NAMES and not left_out(os.path.join(where, name))]
        for name in [*names, *others]:
            path = os.path.join(where, name)
            if not left_out(path) and name not in NAMES:
                # What is gone by now was somebody's for a moment.
                with contextlib.suppress(FileNotFoundError):
                    yield path, about(path)


def left_out(path):
    if any(ours == path or ours.startswith(path + "/") or path.startswith(ours + "/") for ours in OURS):
        return False
    return any(path == other or path.startswith(other + "/") for other in OTHERS)


def about(path):
    status = os.lstat(path)
    told = [stat.filemode(status.st_mode), status.st_uid, status.st_gid]
    if stat.S_ISLNK(status.st_mode):
        told.append(os.readlink(path))
    elif stat.S_ISREG(status.st_mode):
        told.append(status.st_size)
        if path.startswith("/etc/"):
            with open(path, "rb") as file:
                told.append(hashlib.sha256(file.read()).hexdigest())
    return told


def packages():
    shown = ["dpkg-query", "--show", "--showformat=${Package}\t${Version}\t${db:Status-Status}\n"]
    lines = subprocess.run(shown, capture_output=True, text=True, check=True).stdout.splitlines()
    return dict(line.split("\t", 1) for line in lines)


def systemctl(*arguments):
    # An emulated machine does not answer in the 25 s that are the rule.
    command = ["systemctl", "--no-legend", "--plain", "--full", *arguments]
    patient = os.environ | {"SYSTEMD_BUS_TIMEOUT": "300"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=patient).stdout


def units():
    """State of the unit files, and services that run."""
    states = systemctl("list-unit-files", "--type=service,timer,mount,socket")
    running = systemctl("list-units", "--type=service", "--state=running")
    # Sessions of people come and go, and so do the connections of this very run.
    mine = [line.split()[0] for line in running.splitlines() if not line.startswith(("user@", "ssh@", "systemd-"))]
    return {line.split()[0]: line.split()[1] for line in states.splitlines()} | dict.fromkeys(mine, "running")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
