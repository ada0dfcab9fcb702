# SPDX-License-Identifier: GPL-3.0-or-later
"""Serving an app over HTTP: in this process until it ends, or in a thread of it for as long as a test lasts."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

App = Callable[..., Any]


def listener(address: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A socket that takes connections, to be answered when the server runs; port 0 is a free one. OSError."""
    # With its protocol named, asyncio turns the delay of small packets off.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((address, port))
        bound.listen(2048)
    except OSError:
        bound.close()
        raise
    return bound


def address(bound: socket.socket) -> str:
    """http://HOST:PORT of a listener."""
    host, port = bound.getsockname()
    return f"http://{host}:{port}"


@contextlib.contextmanager
def in_thread(app: App) -> Iterator[str]:
    """The address of the app, which is served until the block ends."""
    with listener() as bound:
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("The server in a thread did not start.")
            time.sleep(0.005)
        try:
            yield address(bound)
        finally:
            server.should_exit = True
            thread.join(10)
