# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a person who presses Ctrl-C while a task waits is told: what goes on, or is paid for."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import typing as t


@contextlib.contextmanager
def telling(sentence: t.Callable[[], str]) -> t.Iterator[None]:
    """While this runs, a signal that ends the process tells the sentence (empty: another process tells it) first.

    At Ctrl-C Ansible ends its workers by SIGTERM and reads no more of what they say; their own outputs lead nowhere.
    What is left is the standard error of the process that they belong to: a terminal, a pipe, or a file that is
    appended to.
    """
    before: dict[int, t.Any] = {}

    def handle(number: int, frame: t.Any) -> None:
        with contextlib.suppress(OSError):
            text = sentence()
            if text and _can_take(os.getppid()):
                with open(f"/proc/{os.getppid()}/fd/2", "a", encoding="utf-8") as stream:
                    stream.write(f"\n{text}\n")
        signal.signal(number, before[number])
        if callable(before[number]):
            before[number](number, frame)
        else:
            os.kill(os.getpid(), number)

    for ending in (signal.SIGINT, signal.SIGTERM):
        before[ending] = signal.signal(ending, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _can_take(process: int) -> bool:
    """Whether two processes may write to this one's standard error. In a file that is not appended to, each would write
    over what the other one wrote.
    """
    if not stat.S_ISREG(os.stat(f"/proc/{process}/fd/2").st_mode):
        return True
    with open(f"/proc/{process}/fdinfo/2", encoding="ascii") as stream:
        flags = next(line.split()[1] for line in stream if line.startswith("flags:"))
    return bool(int(flags, 8) & os.O_APPEND)
