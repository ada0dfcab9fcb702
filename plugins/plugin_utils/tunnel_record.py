# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A tunnel in the background, as its record tells: which process it is, and what it was started for."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import typing as t

from ansible_collections.gh200.inference.plugins.plugin_utils import tunnel
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import state_dir

# Longer than the tunnel gives its ssh.
ENDING = tunnel.ENDING + 5


def argv(settings: dict[str, t.Any]) -> list[str]:
    """The program with its settings; no secret is in them."""
    return [sys.executable, tunnel.__file__, json.dumps(settings, sort_keys=True)]


class Record:
    """tunnel.json and tunnel.log in a folder."""

    def __init__(self, folder: str):
        self.path = os.path.join(folder, "tunnel.json")
        self.log = os.path.join(folder, "tunnel.log")

    def running(self) -> dict[str, t.Any] | None:
        """What was written of a tunnel that runs; a number that another process has by now is not taken for it."""
        try:
            with state_dir.reading(self.path) as stream:
                noted = json.loads(stream.read() if stream else b"{}")
            pid, settings = int(noted["pid"]), noted["settings"]
        except (ValueError, TypeError, KeyError):
            return None
        shown = subprocess.run(
            ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        return {"pid": pid, "settings": settings} if shown.strip() == " ".join(argv(settings)) else None

    def start(self, settings: dict[str, t.Any], wait: float) -> int:
        """Its process, once it is open; tunnel.Broken with its last words where it does not get so far."""
        os.makedirs(os.path.dirname(self.log), mode=0o700, exist_ok=True)
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(descriptor, "wb") as log:
            process = subprocess.Popen(
                argv(settings), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        state_dir.replace(self.path, json.dumps({"pid": process.pid, "settings": settings}))
        deadline = time.monotonic() + wait
        while settings["lines"][-1] not in self.said():
            if process.poll() is not None:
                os.unlink(self.path)
                raise tunnel.Broken((self.said() or ["The tunnel ended without a word."])[-1])
            if time.monotonic() > deadline:
                self.stop()
                raise tunnel.Broken(
                    f"The tunnel was not open after {wait:.0f} s, and was closed; its log is {self.log}."
                )
            time.sleep(0.1)
        return process.pid

    def said(self) -> list[str]:
        """The lines of its log."""
        with open(self.log, encoding="utf-8", errors="replace") as stream:
            return stream.read().splitlines()

    def stop(self) -> bool:
        """End it, by its number; whether there was one."""
        noted = self.running()
        if noted:
            os.kill(noted["pid"], signal.SIGTERM)
            deadline = time.monotonic() + ENDING
            while self.running():
                # A child of this very process stays until it is asked for.
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(noted["pid"], os.WNOHANG)
                if time.monotonic() > deadline:
                    raise tunnel.Broken(f"The tunnel (process {noted['pid']}) does not end; its log is {self.log}.")
                time.sleep(0.1)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        return bool(noted)
