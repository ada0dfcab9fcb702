# SPDX-License-Identifier: GPL-3.0-or-later
"""Before Ray starts: `clear.py SESSIONS [PORT]` clears away old sessions, and names who has the head's port.

It runs between two lives of Ray, so no session is in use, and whatever listens is not this unit's.
"""

import os
import pwd
import re
import shutil
import subprocess
import sys

# Their logs tell why Ray ended; each can be hundreds of megabytes.
KEPT = 3


def main(folder, port=None):
    """Exit with one sentence if the port is taken."""
    clear(folder)
    holders = taken(port) if port else []
    if holders:
        sys.exit(
            f"Ray does not start on this node: port {port} is held by {' and '.join(holders)}, which is not this "
            "service's. Stop that first, or choose another ray_cluster_port."
        )


def clear(folder, kept=KEPT):
    """Remove all sessions but the newest; what cannot be removed is told, and stops nothing."""
    sessions = [entry for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    for entry in sorted(sessions, key=lambda entry: entry.stat().st_mtime, reverse=True)[kept:]:
        try:
            shutil.rmtree(entry.path)
        except OSError as error:
            print(f"The old session {entry.path} stays: {error.strerror}.", file=sys.stderr)


def taken(port):
    """Who listens on it: the process, its user and its command."""
    command = ["ss", "--no-header", "--listening", "--tcp", "--numeric", "--processes", f"sport = :{port}"]
    try:
        listening = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout
    except OSError:
        return []
    pids = sorted({int(pid) for pid in re.findall(r"pid=(\d+)", listening)})
    return [described(pid) for pid in pids] or (["a process that cannot be seen"] if listening.strip() else [])


def described(pid):
    """A process for people."""
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as stream:
            # Its first words: what follows may be a secret.
            program = os.path.basename(stream.read().split("\0")[0])
        owner = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return f"process {pid}"
    try:
        user = pwd.getpwuid(owner).pw_name
    except KeyError:
        user = str(owner)
    return f"process {pid} ({program} of {user})"


if __name__ == "__main__":
    main(*sys.argv[1:])
