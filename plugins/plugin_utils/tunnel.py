# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keeps an ssh tunnel open, and serves a page beside it: a program of its own, which the action plugin starts.

`python tunnel.py SETTINGS`, as JSON. It ends at SIGINT and SIGTERM, and, unless it is in the background, with whoever
holds the other end of its standard input. It imports nothing of the collection.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import typing as t

READY = "gh200-tunnel"
LOCAL = "127.0.0.1"
# Seconds between two attempts; then always the last.
PAUSES = (1, 2, 4, 8, 15, 30)
ENDING = 5  # seconds for ssh to end by itself


class Broken(Exception):
    """No tunnel, and no use in trying again; the sentence for people."""


def free_port(wanted: int) -> int:
    """A port of this machine that nothing has: the wanted one if it can be."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            # As ssh does: what is left of closed connections is in nobody's way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOCAL, port))
            return int(probe.getsockname()[1])
    raise Broken("This machine has no free port.")


def command(settings: dict[str, t.Any]) -> list[str]:
    """ssh's arguments. Its remote command ends with our end of its standard input, and ssh with it."""
    options = [
        "BatchMode=yes",
        "ExitOnForwardFailure=yes",
        "ConnectTimeout=15",
        "ServerAliveInterval=5",
        "ServerAliveCountMax=3",
        # Of its own: another connection's end must not be this one's.
        "ControlMaster=no",
        "ControlPath=none",
        "ForwardAgent=no",
    ]
    words = ["ssh", "-F", settings["ssh_config"], "-T"]
    words += [word for option in options for word in ("-o", option)]
    for forward in settings["forwards"]:
        words += ["-L", f"{LOCAL}:{forward['local']}:{forward['host']}:{forward['port']}"]
    words += [settings["host"], f"echo {READY}; exec cat >/dev/null"]
    # Also when this program is killed.
    return ["setpriv", "--pdeathsig", "TERM", *words] if shutil.which("setpriv") else words


class Keeper:
    """One tunnel, opened again when it breaks."""

    def __init__(self, settings: dict[str, t.Any], say: t.Callable[[str], None]):
        self.settings = settings
        self.say = say
        self.over = threading.Event()
        self.child: subprocess.Popen[str] | None = None
        self.words: list[str] = []
        self.listener: threading.Thread | None = None

    def keep(self) -> None:
        """Until it is over; Broken where it cannot be."""
        if not self.open():
            if self.over.is_set():
                return
            raise Broken(f"No tunnel to {self.settings['host']}: {self.reason()}.")
        for line in self.settings["lines"]:
            self.say(line)
        while self.lasts():
            self.say(f"The tunnel to {self.settings['host']} broke ({self.reason()}); opening it again.")
            self.reopen()
            if not self.over.is_set():
                self.say("The tunnel is open again.")

    def reopen(self) -> None:
        """With growing pauses, for as long as `patience`."""
        began, number = time.monotonic(), 0
        while not self.over.wait(PAUSES[min(number, len(PAUSES) - 1)]):
            if self.open():
                return
            number += 1
            if time.monotonic() - began > self.settings["patience"]:
                raise Broken(
                    f"The tunnel to {self.settings['host']} could not be opened again in "
                    f"{self.settings['patience']} s: {self.reason()}. Run this again."
                )

    def open(self) -> bool:
        """Start ssh; whether it is through."""
        self.words = []
        self.child = subprocess.Popen(
            command(self.settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # Ctrl-C is for this program, which ends ssh itself.
            start_new_session=True,
        )
        self.listener = threading.Thread(target=self.listen, args=(self.child,), daemon=True)
        self.listener.start()
        if self.over.is_set():  # since before it could be told
            self.child.terminate()
        return self.child.stdout is not None and self.child.stdout.readline().strip() == READY

    def listen(self, child: subprocess.Popen[str]) -> None:
        """What ssh says, for the sentence about its end."""
        for line in child.stderr or ():
            self.words = [*self.words, " ".join(line.split())][-2:]

    def lasts(self) -> bool:
        """Wait until ssh has ended, which is True, or it is over."""
        while not self.over.wait(0.2):
            if self.child and self.child.poll() is not None:
                return True
        return False

    def reason(self) -> str:
        """ssh's last words."""
        status = self.child.wait() if self.child else 0
        if self.listener:
            # What ssh started may hold its standard error for longer than ssh lives.
            self.listener.join(ENDING)
        return "; ".join(word.rstrip(".") for word in self.words if word) or f"ssh ended with status {status}"

    def stop(self) -> None:
        """It is over; from a signal's handler, or another thread."""
        self.over.set()
        if self.child:
            self.child.terminate()

    def close(self) -> None:
        """No ssh of ours is left."""
        if self.child is None:
            return
        self.child.terminate()
        try:
            self.child.wait(ENDING)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def serve(page: str, port: int) -> http.server.ThreadingHTTPServer:
    """One file, to this machine only."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.partition("?")[0] in ("/", f"/{os.path.basename(page)}")
            try:
                with open(page, "rb") as stream:
                    content = stream.read() if found else b"There is one page here.\n"
            except OSError:
                found, content = False, b"The page is gone.\n"
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8" if found else "text/plain")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: t.Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer((LOCAL, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def outlive(keeper: Keeper) -> None:
    """No longer than whoever started this."""
    sys.stdin.read()
    keeper.stop()


def say(line: str) -> None:
    """At once, and without an end when nobody listens any more."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


def main(settings: dict[str, t.Any]) -> int:
    """Exit status: 1 with the sentence on standard error where it ended by itself."""
    keeper = Keeper(settings, say)
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, frame: keeper.stop())
    if not settings["background"]:
        threading.Thread(target=outlive, args=(keeper,), daemon=True).start()
    try:
        if settings["page"]:
            serve(settings["page"], settings["page_port"])
        keeper.keep()
    except (Broken, OSError) as error:
        print(f"{error}", file=sys.stderr, flush=True)
        return 1
    finally:
        keeper.close()
    say("The tunnel is closed.")
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
