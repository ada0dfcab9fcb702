# SPDX-License-Identifier: GPL-3.0-or-later
"""Running commands and stopping processes that we started, and no others."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from .errors import LabError


def run(*argv: str | Path, stdin: str | None = None, log: Path | None = None, env: dict | None = None) -> str:
    """Output of a command; its failure is a LabError with its last words."""
    command = [str(part) for part in argv]
    try:
        if log:
            with log.open("ab") as sink:
                subprocess.run(
                    command, input=stdin and stdin.encode(), stdout=sink, stderr=subprocess.STDOUT, env=env, check=True
                )
            return ""
        return subprocess.run(command, input=stdin, capture_output=True, text=True, env=env, check=True).stdout
    except FileNotFoundError as error:
        raise LabError(f"The command {command[0]} is not installed: run `make setup`.") from error
    except subprocess.CalledProcessError as error:
        words = f"see {log}" if log else " ".join((error.stderr or error.stdout or "").split())[-300:]
        raise LabError(f"`{' '.join(command)[:200]}` failed with status {error.returncode}: {words}") from error


def follow(*argv: str | Path, log: Path, env: dict, say: Callable[[str], None]) -> None:
    """Run a command that tells how far it is: each line of its output is said and logged; its failure is a LabError."""
    command = [str(part) for part in argv]
    last = ""
    with (
        log.open("a", encoding="utf-8") as sink,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sink, env=env, text=True
        ) as process,
    ):
        for line in process.stdout or ():
            sink.write(line)
            last = line.rstrip()
            say(last)
    if process.returncode:
        raise LabError(
            f"`{' '.join(command)[:200]}` failed with status {process.returncode}: {last or 'it said nothing'}. "
            f"Its log is {log}."
        )


def start_time(pid: int) -> int | None:
    """When the process started (clock ticks since boot), or None if it is not there."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def stop(pid: int, started: int, patience: float = 10.0) -> bool:
    """End this very process: asked first, then killed. A pid that was given to another is left alone."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if start_time(pid) != started:
            return True
        os.kill(pid, number)
        deadline = time.monotonic() + patience
        while start_time(pid) == started and time.monotonic() < deadline:
            time.sleep(0.05)
    return start_time(pid) != started
