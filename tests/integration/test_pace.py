# SPDX-License-Identifier: GPL-3.0-or-later
"""The pace as the API sees it: calls that arrive late, and an API that asks to wait."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
import time

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import client, errors

from lab.api.faults import Fault

INTERVAL, LATE = 0.4, 0.15


def copy(source: socket.socket, sink: socket.socket) -> None:
    """Until the end of the source, or until one of both is closed."""
    with contextlib.suppress(OSError):
        shutil.copyfileobj(source.makefile("rb", buffering=0), sink.makefile("wb", buffering=0))
        sink.shutdown(socket.SHUT_WR)


@pytest.fixture(name="slowly")
def proxy_with_slow_connections():
    """slowly(url): the same service at an address where each new connection takes LATE seconds."""
    with contextlib.ExitStack() as stack:

        def serve(listener, target):
            with contextlib.suppress(OSError):
                while True:
                    near = stack.enter_context(listener.accept()[0])
                    time.sleep(LATE)
                    far = stack.enter_context(socket.create_connection(target))
                    for pair in ((near, far), (far, near)):
                        threading.Thread(target=copy, args=pair, daemon=True).start()

        def slowly(url):
            host, port = url.split("/")[2].split(":")
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            threading.Thread(target=serve, args=(listener, (host, int(port))), daemon=True).start()
            return url.replace(port, str(listener.getsockname()[1]))

        yield slowly


def test_no_call_is_too_early_though_the_first_of_a_process_has_to_connect(start, slowly):
    sim = start(request_interval=INTERVAL)
    for dummy in range(2):  # two processes, one after the other
        process = client.Client.connect(sim.key, slowly(sim.url), INTERVAL, 0, timeout=5)
        process.regions()
        process.regions()
    assert sim.app.state.pacing.refusals == 0 and sim.calls() == ["GET /regions"] * 4


def test_a_wish_to_wait_is_heeded(world):
    account = world.client()
    world.sim.faults.add(Fault(on="GET /regions", do="rate", shape="retry-after"))
    began = world.clock.now()
    assert account.regions() and world.clock.now() - began >= 12


@pytest.mark.parametrize("seconds", [5, -1])
def test_no_wish_is_heeded_beyond_the_deadline(world, seconds):
    account = world.client()
    account.deadline = world.clock.monotonic() + seconds
    world.sim.faults.add(Fault(on="GET /regions", do="rate", shape="retry-after"))
    began = world.clock.now()
    with pytest.raises(errors.LambdaError, match=r"answered 429: .*Something else uses the same key"):
        account.regions()
    assert world.clock.now() - began < 5 and world.sim.calls() == ["GET /regions"]
