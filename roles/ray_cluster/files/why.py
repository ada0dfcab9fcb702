# SPDX-License-Identifier: GPL-3.0-or-later
"""One sentence on why the Ray of this node has not joined: `why.py HEAD PORT`."""

import re
import socket
import subprocess
import sys

MISMATCH = re.compile(
    r"Version mismatch: The cluster was started with:\s+Ray: (\S+)\s+Python: (\S+)\s+"
    r"This process on .*? was started with:\s+Ray: (\S+)\s+Python: (\S+)",
    re.DOTALL,
)
HELD = re.compile(r"Ray does not start on this node: [^\n]+")
FENCE = re.compile(r"The ports of Ray and vLLM were not fenced on this node: [^\n]+")


def main(head, port):
    """Print it."""
    state = said("systemctl", "show", "ray", "--property=ActiveState", "--value").strip() or "unknown"
    log = said("journalctl", "--unit=ray", "--boot", "--lines=80", "--output=cat", "--no-pager")
    print(reason(state, log, unreachable(head, int(port)), f"{head}:{port}"))


def reason(state, log, away, address):
    """The likeliest cause; the last of several that the log tells."""
    found = MISMATCH.findall(log)
    if found:
        there, here = found[-1][:2], found[-1][2:]
        return (
            f"it has Ray {here[0]} with Python {here[1]}, the head Ray {there[0]} with Python {there[1]}: "
            "they must be the same to the patch level"
        )
    for known in (HELD, FENCE):
        if known.search(log):
            return known.findall(log)[-1].rstrip(".")
    if state in ("inactive", "failed", "unknown"):
        return f"its service ray is {state}"
    if away:
        return f"it cannot reach the head's Ray at {address} ({away})"
    last = [" ".join(line.split()) for line in log.splitlines() if line.strip()][-2:]
    return f"its service ray is {state} and said last: {' '.join(last)[-200:] or 'nothing'}"


def unreachable(head, port):
    """What a connection to the head's Ray says; empty if there is one."""
    try:
        with socket.create_connection((head, port), timeout=5):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def said(*command):
    """Output of a program; nothing where it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout
    except OSError:
        return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
