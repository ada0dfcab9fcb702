# SPDX-License-Identifier: GPL-3.0-or-later
"""The hub on a free port of this machine, for the tests that talk to it as a client does."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn

from lab.hub.app import create_app


@pytest.fixture(name="serving", scope="session")
def hub_server():
    """A context manager: it serves a folder, and gives the address."""
    return serve


@contextmanager
def serve(root):
    """Address of a hub that serves `root` until the block ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(root), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline, "the hub did not start"
            time.sleep(0.01)
        yield "http://{}:{}".format(*listener.getsockname())
        server.should_exit = True
        thread.join(10)
