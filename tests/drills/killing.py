# SPDX-License-Identifier: GPL-3.0-or-later
"""A control process that is killed (kill -9) at a chosen step of what it does."""

from __future__ import annotations

import os
import re
import signal

import requests
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import host_keys, ledger


class Steps:
    """Counts the moments before and after everything that lasts: keys, ledger lines, calls.

    Kills this process at the one that was chosen.
    """

    def __init__(self, chosen: int = -1):
        self.chosen, self.labels = chosen, []

    def reach(self, label: str) -> None:
        """One moment."""
        if len(self.labels) == self.chosen:
            os.kill(os.getpid(), signal.SIGKILL)
        self.labels.append(label)

    def around(self, owner, name, label):
        """Two moments around each call of a method."""
        inner = getattr(owner, name)

        def outer(*args, **kwargs):
            self.reach(f"before {label(*args)}")
            result = inner(*args, **kwargs)
            self.reach(f"after {label(*args)}")
            return result

        setattr(owner, name, outer)

    def watch(self):
        """From here on, in this process."""
        self.around(host_keys.HostKeys, "make", lambda *args: "the host key is made")
        self.around(ledger.Ledger, "write", lambda log, event, **kwargs: f"the ledger has `{event}`")
        self.around(requests.Session, "request", lambda session, method, url, **kwargs: f"`{method} {path(url)}`")
        return self


def path(url: str) -> str:
    """As the API documents it."""
    return re.sub(r"/instances/\w+", "/instances/{id}", url.split("/api/v1")[1])


def in_a_process(work, chosen: int = -1) -> tuple[bool, list[str]]:
    """Do the work in a process of its own: whether it was killed, and the moments that it reached."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        steps = Steps(chosen).watch()
        status = 1
        try:
            work()
            status = 0
        finally:
            os.write(writer, "\n".join(steps.labels).encode())
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as stream:
        labels = stream.read().splitlines()
    status = os.waitpid(pid, 0)[1]
    if os.WIFSIGNALED(status):
        return True, labels
    assert os.WEXITSTATUS(status) == 0, "the work failed by itself"
    return False, labels
