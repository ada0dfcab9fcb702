# SPDX-License-Identifier: GPL-3.0-or-later
"""People's ways in, as the documents give them: their shell functions, their ssh, their tunnel."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator

from tests.e2e.running import BIN, REPOSITORY, on

STATE = REPOSITORY / ".lab/state"
ENVIRONMENT = os.environ | {
    "PATH": f"{BIN}:{os.environ['PATH']}",
    "ANSIBLE_INVENTORY": "inventory/lab",
    "GH200_STATE_DIR": str(STATE),
}
# As `ss` shows it, without its users.
LISTENING = re.compile(r"^LISTEN\s+\d+\s+\d+\s+(\S+):(\d+)\s", re.MULTILINE)


def helpers() -> str:
    """The functions of docs/fleet.md, to the letter."""
    text = (REPOSITORY / "docs/fleet.md").read_text(encoding="utf-8")
    return re.search(r"<!-- helpers -->\n```sh\n(.*?)```", text, re.DOTALL)[1]


def typed(line: str) -> str:
    """Output of a line after the functions, in a shell of its own."""
    ran = subprocess.run(
        ["bash", "-c", f"{helpers()}\n{line}"],
        cwd=REPOSITORY,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert ran.returncode == 0, f"`{line}` failed: {ran.stdout}{ran.stderr}"
    return ran.stdout


def listening(variables: dict) -> dict[str, set[int]]:
    """Ports of a node that listen on more than loopback: address, or *, to numbers."""
    found: dict[str, set[int]] = {}
    for address, port in LISTENING.findall(on(variables, "sudo ss -Hltn")):
        bare = address.strip("[]").partition("%")[0]
        if not bare.startswith("127.") and bare != "::1":
            found.setdefault("*" if bare in ("0.0.0.0", "::", "*") else bare, set()).add(int(port))
    return found


def reached(variables: dict, address: str, ports: set[int]) -> set[int]:
    """Those of the ports that take a connection from a node."""
    program = (
        "import json, socket, sys\n"
        "def answers(port):\n"
        "    try:\n        socket.create_connection((sys.argv[1], port), 5).close()\n        return True\n"
        "    except OSError:\n        return False\n"
        "print(*[port for port in json.loads(sys.argv[2]) if answers(port)])\n"
    )
    said = on(variables, f"python3 - {address} '{sorted(ports)}'", program)
    return set(map(int, said.split()))


def ssh_with(text: str) -> list[int]:
    """Processes of ssh on this machine whose arguments have this text."""
    shown = subprocess.run(["ps", "-ww", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in shown.splitlines()]
    return [int(row[0]) for row in rows if row[1].endswith("ssh") and len(row) > 2 and text in row[2]]


class Tunnel:
    """playbooks/tunnel.yml while it is watched."""

    def __init__(self, process: subprocess.Popen, said: list[str]):
        self.process = process
        self.said = said

    def until(self, words: str) -> str:
        """The line that has these words, as soon as it is there."""
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if words in line:
                return line.strip()
        raise AssertionError(f"the tunnel ended without {words!r}: {self.said}")


@contextlib.contextmanager
def tunnel() -> Iterator[Tunnel]:
    """Opened, and ended by Ctrl-C as a terminal does it: to all of its processes."""
    process = subprocess.Popen(
        [BIN / "ansible-playbook", "playbooks/tunnel.yml"],
        cwd=REPOSITORY,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield Tunnel(process, [])
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)


def wait_until(condition, seconds: float = 60) -> bool:
    """Whether it came to hold."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
