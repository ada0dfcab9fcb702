# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C while a task waits: one sentence on the error output of the run, and no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# A run with a worker, as Ansible has them: in a session of its own, with outputs that lead nowhere.
RUN = """
import multiprocessing, os, signal, sys
from ansible_collections.gh200.inference.plugins.plugin_utils import interrupt

def work(ready):
    os.setsid()
    for number in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), number)
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(3))
    with interrupt.telling(lambda: sys.argv[1]):
        ready.set()
        signal.pause()

context = multiprocessing.get_context("fork")
ready = context.Event()
worker = context.Process(target=work, args=(ready,))
worker.start()
ready.wait()
os.kill(worker.pid, getattr(signal, sys.argv[2]))
worker.join()
print(worker.exitcode)
"""


@pytest.mark.parametrize(("sentence", "shown"), [("The jobs go on.", "\nThe jobs go on.\n"), ("", "")])
@pytest.mark.parametrize(("name", "status"), [("SIGTERM", "3"), ("SIGINT", None)])
def test_the_sentence_is_told_and_the_signal_does_what_it_did(sentence, shown, name, status):
    ran = subprocess.run([sys.executable, "-c", RUN, sentence, name], capture_output=True, text=True, check=True)
    assert ran.stderr.startswith(shown) if status is None else ran.stderr == shown
    assert status is None or ran.stdout.strip() == status


@pytest.mark.parametrize(("mode", "shown"), [("a", "\nThe jobs go on.\n"), ("w", "")])
def test_what_the_run_writes_to_a_file_stays(tmp_path, mode, shown):
    with open(tmp_path / "log", mode, encoding="utf-8") as stream:
        stream.write("PLAY [all]\n")
        stream.flush()
        command = [sys.executable, "-c", RUN, "The jobs go on.", "SIGTERM"]
        subprocess.run(command, stdout=stream, stderr=stream, check=True)
    assert (tmp_path / "log").read_text(encoding="utf-8") == f"PLAY [all]\n{shown}3\n"


def test_afterwards_signals_are_as_before():
    from ansible_collections.gh200.inference.plugins.plugin_utils import interrupt

    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with interrupt.telling(lambda: ""):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] != before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
