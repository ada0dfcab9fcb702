# SPDX-License-Identifier: GPL-3.0-or-later
"""Ray under its supervisor: it reports, obeys the watchdog's wish for a new start, and Ray's end is its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[4] / "roles/ray_cluster/files/ray_node.py"
# Where nobody listens.
NOBODY = "127.0.0.1:9"


def run(watchdog, *command, options=(), **more):
    """The supervisor, as systemd starts it."""
    argv = [sys.executable, str(PROGRAM), "r1-03", watchdog, *options, "--", *command]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, **more)


@pytest.mark.parametrize("status", [0, 7])
def test_the_end_of_ray_is_its_own_also_without_a_watchdog(status):
    assert run(NOBODY, "sh", "-c", f"exit {status}").wait(30) == status


def test_it_reports_and_begins_anew_when_it_is_asked(serve):
    heard, arrived = [], threading.Event()

    def watchdog(method, path, headers, sent):
        assert (method, path) == ("POST", "/report")
        heard.append(json.loads(sent))
        arrived.set()
        return 200, json.dumps({"restart": "the head does not count it" if len(heard) > 1 else None}).encode()

    process = run(serve(watchdog).removeprefix("http://"), "sleep", "600")
    out, dummy = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "a new start of Ray on this node: the head does not count it" in out
    assert len(heard) == 2
    assert heard[0]["name"] == "r1-03"
    assert heard[0]["start"] == heard[1]["start"]
    assert heard[0]["memory"]["total"] > heard[0]["memory"]["free"] > 0
    assert heard[0]["disks"]["/"]["size"] > 0


@pytest.mark.parametrize(
    "answer",
    [
        b'HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{"rest',
        b"nothing that is HTTP\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"",
    ],
    ids=["broken off", "no HTTP", "no object", "nothing"],
)
def test_an_answer_that_is_none_ends_no_ray(answer):
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(30)
        process = run(f"127.0.0.1:{other.getsockname()[1]}", "sleep", "600")
        try:
            for dummy in range(2):  # It comes again, so it lives.
                link, dummy2 = other.accept()
                with link:
                    link.recv(65536)
                    link.sendall(answer)
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait(30)


def test_a_stop_by_systemd_ends_ray_first(tmp_path):
    mark = tmp_path / "ended"
    process = run(NOBODY, "sh", "-c", f"trap 'touch {mark}; exit 0' TERM; echo up; while :; do sleep 0.1; done")
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    assert mark.exists()


def test_systemd_hears_of_the_head_when_ray_takes_connections(tmp_path):
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd, socket.socket() as ray:
        systemd.bind(str(place))
        systemd.settimeout(1)
        ray.bind(("127.0.0.1", 0))
        listens = f"127.0.0.1:{ray.getsockname()[1]}"
        environment = {**os.environ, "NOTIFY_SOCKET": str(place)}
        process = run(NOBODY, "sleep", "600", options=("--ready-on", listens), env=environment)
        try:
            with pytest.raises(TimeoutError):
                systemd.recv(100)
            ray.listen()
            systemd.settimeout(30)
            assert systemd.recv(100) == b"READY=1"
        finally:
            process.terminate()
            process.wait(30)


def test_a_worker_is_up_at_once(tmp_path):
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(place))
        systemd.settimeout(30)
        process = run(NOBODY, "sleep", "600", env={**os.environ, "NOTIFY_SOCKET": str(place)})
        try:
            assert systemd.recv(100) == b"READY=1"
        finally:
            process.terminate()
            process.wait(30)
