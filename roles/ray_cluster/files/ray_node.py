# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs Ray on this node and reports to the watchdog on the head, which may ask for a new start:
ray_node.py NAME ADDRESS:PORT [--ready-on ADDRESS:PORT] -- COMMAND.

Nobody else can say that this node must begin anew: Ray on a node that the head no longer counts may go on for ever,
and so may one whose processes hang. Where no watchdog listens, Ray simply runs.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import node_report

INTERVAL = 2.0
# A command that does not end by itself after SIGTERM: systemd then kills what is left of the group.
PATIENCE = 10


def main(arguments):
    """The exit status: that of Ray, or 1 after a new start was asked for."""
    command = arguments[arguments.index("--") + 1 :]
    name, watchdog, *rest = arguments[: arguments.index("--")]
    stopped, started = threading.Event(), []
    signal.signal(signal.SIGTERM, lambda *_: (stopped.set(), *(process.terminate() for process in started)))
    ray = subprocess.Popen(command)
    started.append(ray)
    if stopped.is_set():
        ray.terminate()
    if rest:
        threading.Thread(target=await_listener, args=(rest[1], ray), daemon=True).start()
    else:
        notify("READY=1")
    report = node_report.Report(name)
    while (status := wait(ray, INTERVAL)) is None:
        wanted = tell(watchdog, report)
        if wanted:
            print(f"The watchdog asks for a new start of Ray on this node: {wanted}", flush=True)
            ray.terminate()
            wait(ray, PATIENCE)
            return 1
    return status


def wait(process, seconds):
    """Its exit status, or None while it runs."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def tell(watchdog, report):
    """Send what there is to report; the reason for a new start, if the answer has one.

    Whatever goes wrong here ends no Ray: a report that is missed is made again in a moment.
    """
    try:
        request = urllib.request.Request(
            f"http://{watchdog}/report", json.dumps(report.now()).encode(), {"Content-Type": "application/json"}
        )
        # Through no proxy: the head is on this network.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=3) as answer:
            return json.load(answer).get("restart")
    except (OSError, ValueError, LookupError, AttributeError, http.client.HTTPException):
        return None


def await_listener(place, process):
    """systemd is told that this is up when Ray takes connections, so that what needs it starts after that."""
    host, dummy, port = place.rpartition(":")
    while process.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=2).close()
        except OSError:
            time.sleep(0.2)
        else:
            notify("READY=1")
            return


def notify(text):
    """A word to systemd, where it listens."""
    place = os.environ.get("NOTIFY_SOCKET")
    if place:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.connect("\0" + place[1:] if place.startswith("@") else place)
            channel.sendall(text.encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
