# SPDX-License-Identifier: GPL-3.0-or-later
"""What the other nodes have, and getting it from them: a small file that each serves tells it."""

import http.client
import json
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

STATUS = "status.json"
AT_ONCE = 16
REFUSALS = 3  # answers "no such server" in a row after which a node that once answered is gone


class Peer:
    """One other node, as it was seen last."""

    def __init__(self, address, now):
        self.address, self.since = address, now
        self.status, self.answered, self.moved, self.refused = None, 0, now, 0

    def saw(self, status, now):
        """It answered."""
        if self.status is None or status["moved"] != self.status["moved"] or not status["wants"]:
            self.moved = now
        self.status, self.answered, self.refused = status, now, 0

    def has(self, key, name):
        """Whether it gives this file."""
        return self.status is not None and self.is_there() and name in self.status["have"].get(key, ())

    def is_there(self):
        """Whether it answered when it was asked last."""
        return self.status is not None and self.refused == 0

    def is_gone(self, now, patience):
        """Whether nothing more is to be expected of it."""
        if self.status is None:
            return now - self.since > patience
        return self.refused >= REFUSALS or now - self.answered > patience

    def is_stuck(self, now, patience):
        """Whether it is there, wants more, and gets none."""
        return self.status is not None and self.status["wants"] and now - self.moved > patience

    def is_served(self, now, patience):
        """Whether it needs this node no more."""
        done = self.status is not None and not self.status["wants"]
        return done or self.is_gone(now, patience) or self.is_stuck(now, patience)


class Peers:
    """All others. They are asked in a thread of their own; `turns` counts the rounds."""

    def __init__(self, own, port, interval):
        self.own, self.port, self.interval = own, port, interval
        self.table, self.turns = {}, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def set(self, addresses):
        """Who they are from now on."""
        now = time.monotonic()
        self.table = {address: self.table.get(address) or Peer(address, now) for address in addresses}
        if self.table and not self.thread.is_alive():
            self.thread.start()

    def _watch(self):
        # All at once, so that one that is silent does not make the others look so.
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while not self.stop.is_set():
                list(pool.map(self.ask, list(self.table.values())))
                self.turns += 1
                self.stop.wait(self.interval)

    def ask(self, peer):
        """Read what one of them has."""
        connection = http.client.HTTPConnection(peer.address, self.port, 5, source_address=(self.own, 0))
        try:
            connection.request("GET", f"/{STATUS}")
            answer = connection.getresponse()
            status = json.loads(answer.read())
            status = {
                "have": {key: set(names) for key, names in status["have"].items()},
                "wants": bool(status["wants"]),
                "moved": status["moved"],
            }
        except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError, AttributeError):
            peer.refused += 1
        else:
            peer.saw(status, time.monotonic())
        finally:
            connection.close()

    def close(self):
        """Ask no more."""
        self.stop.set()


class PeerError(Exception):
    """A file did not come from a peer."""


def url(address, port, key, name):
    """Where a peer gives a file."""
    return f"http://{address}:{port}/{key}/{quote(name)}"


def fetch(source, path, size, own, stall):
    """Get a file by curl from the address `own`, which the peers know; goes on with what is there of it.

    Raises PeerError. `stall`: seconds without a byte.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    there = path.stat().st_size if path.exists() else 0
    if there > size:
        path.unlink()
    if size and there == size:
        return
    # It ends with this program.
    command = [
        "setpriv",
        "--pdeathsig",
        "KILL",
        "curl",
        "--fail",
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--continue-at",
        "-",
        "--output",
        path,
    ]
    command += [
        "--interface",
        own,
        "--connect-timeout",
        "10",
        "--speed-limit",
        "1",
        "--speed-time",
        str(round(stall)),
        source,
    ]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        raise PeerError(f"{source}: {done.stderr.strip() or f'curl ended with {done.returncode}'}")
    path.touch()  # an empty file makes curl write none
