# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine beside the fleet: a network namespace on the lab's two bridges that is none of its nodes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator

from lab import bridges
from lab.config import PRIVATE, PUBLIC
from lab.nodes import network

# Above the numbers that nodes have.
NUMBER = 243
ADDRESSES = {"public": f"{PUBLIC}.{10 + NUMBER}", "private": f"{PRIVATE}.{10 + NUMBER}"}
# Every port there is; the node answers each at once, by a connection or a refusal.
SCAN = """\
import errno, json, select, socket, sys
address, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
wanted, waiting, found, poll = iter(range(first, last + 1)), {}, {}, select.poll()
def begin():
    port = next(wanted, None)
    if port is None:
        return False
    one = socket.socket()
    one.setblocking(False)
    code = one.connect_ex((address, port))
    if code in (0, errno.EINPROGRESS):
        waiting[one.fileno()] = one, port
        poll.register(one, select.POLLOUT)
    else:
        found[port] = errno.errorcode[code]
        one.close()
    return True
while waiting or begin():
    while len(waiting) < 500 and begin():
        pass
    for number, _ in poll.poll(5000) or sys.exit(f"no answer from {address} for {waiting}"):
        one, port = waiting.pop(number)
        poll.unregister(number)
        code = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code != errno.ECONNREFUSED:
            found[port] = errno.errorcode.get(code, "open")
        one.close()
print(json.dumps(sorted(port for port, what in found.items() if what == "open")))
strange = {port: what for port, what in found.items() if what != "open"}
sys.exit(f"strange answers from {address}: {strange}" if strange else 0)
"""


class Outsider:
    """Runs programs where the fleet does not know it."""

    def __init__(self, namespace: str):
        self.namespace = namespace

    def open_ports(self, address: str, first: int = 1, last: int = 65535) -> list[int]:
        """Ports of that address that take a connection from here."""
        return json.loads(self.run(sys.executable, "-c", SCAN, address, str(first), str(last)))

    def run(self, *command: str) -> str:
        """Output of a program."""
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace, *command], capture_output=True, text=True, check=True
        ).stdout


@contextlib.contextmanager
def outsider() -> Iterator[Outsider]:
    """On the network while this lasts."""
    namespace = f"gh200-{NUMBER}"
    network.connect(namespace, NUMBER)
    try:
        yield Outsider(namespace)
    finally:
        network.disconnect(namespace, NUMBER)


def has_bridges() -> bool:
    """Whether there is a lab."""
    return all(bridges.exists(bridge) for bridge in network.BRIDGES)
