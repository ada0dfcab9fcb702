# SPDX-License-Identifier: GPL-3.0-or-later
"""The tunnel's program with an ssh that does nothing but live: opened, broken, opened again, ended with no ssh left."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils import tunnel, tunnel_record

# It is refused where the file `refused` is; each one notes its process, and ends with its input or by a signal.
SSH = """\
#!/bin/sh
if [ -e "$FOLDER/refused" ]; then echo 'Host key verification failed.' >&2; exit 255; fi
echo $$ >> "$FOLDER/pids"
echo gh200-tunnel
exec cat >/dev/null
"""
WAIT = 30


@pytest.fixture(name="place")
def place_with_ssh(tmp_path, monkeypatch):
    """A folder with that ssh, which is the first on PATH."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(SSH, encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("FOLDER", str(tmp_path))
    return tmp_path


def settings(**more):
    """What the action plugin would say."""
    forwards = [{"host": "10.0.0.1", "port": 8000, "local": 18000}]
    given = {"background": False, "host": "r1-00", "ssh_config": "/state/ssh_config", "forwards": forwards}
    return given | {"page": "", "page_port": 0, "patience": 600, "lines": ["here", "try: curl"]} | more


class Program:
    """The program while it runs."""

    def __init__(self, **more):
        self.process = subprocess.Popen(
            tunnel_record.argv(settings(**more)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        """Its lines, as they come."""
        for line in self.process.stdout:
            self.said.append(line.strip())

    def until(self, words):
        """Wait until a line has these words."""
        wait_for(lambda: any(words in line for line in self.said), f"{words!r} in {self.said}")

    def end(self):
        """Status and the last words."""
        status = self.process.wait(WAIT)
        self.reader.join(WAIT)
        return status, self.process.stderr.read().strip()


def wait_for(condition, what):
    """Until it holds."""
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def pids(place):
    """Each ssh that was started."""
    path = place / "pids"
    return [int(line) for line in path.read_text(encoding="ascii").split()] if path.exists() else []


def lives(pid):
    """Whether it has not ended; one that only its parent has to look at has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def none_left(place):
    """Every ssh has ended."""
    assert pids(place)
    wait_for(lambda: not any(map(lives, pids(place))), "the end of every ssh")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_tells_where_things_are_and_closes_at_a_signal(place, ending):
    program = Program()
    program.until("try: curl")
    assert program.said == ["here", "try: curl"]
    program.process.send_signal(ending)
    assert program.end() == (0, "") and program.said[-1] == "The tunnel is closed."
    none_left(place)


def test_it_ends_with_whoever_started_it(place):
    program = Program()
    program.until("try: curl")
    program.process.stdin.close()
    assert program.process.wait(WAIT) == 0
    none_left(place)


def test_a_kill_leaves_no_ssh(place):
    program = Program()
    program.until("try: curl")
    program.process.kill()
    program.process.wait(WAIT)
    none_left(place)


def test_one_that_breaks_is_told_and_opened_again(place):
    program = Program()
    program.until("try: curl")
    os.kill(pids(place)[0], signal.SIGTERM)
    program.until("The tunnel is open again.")
    assert any("The tunnel to r1-00 broke (ssh ended with status" in line for line in program.said)
    assert len(pids(place)) == 2 and lives(pids(place)[1])
    program.process.terminate()
    program.end()
    none_left(place)


def test_one_that_cannot_be_opened_is_one_sentence(place):
    (place / "refused").touch()
    program = Program()
    assert program.end() == (1, "No tunnel to r1-00: Host key verification failed.")
    assert program.said == []


def test_one_that_stays_broken_is_given_up(place):
    program = Program(patience=0)
    program.until("try: curl")
    (place / "refused").touch()
    os.kill(pids(place)[0], signal.SIGTERM)
    status, words = program.end()
    assert status == 1
    assert words == (
        "The tunnel to r1-00 could not be opened again in 0 s: Host key verification failed. Run this again."
    )
    none_left(place)


def test_ssh_listens_on_this_machine_only_and_asks_nothing():
    words = tunnel.command(settings())
    assert words[words.index("-L") + 1] == "127.0.0.1:18000:10.0.0.1:8000"
    assert words[words.index("-F") + 1] == "/state/ssh_config"
    assert {"BatchMode=yes", "ExitOnForwardFailure=yes", "ControlPath=none"} <= set(words)
    assert not any("StrictHostKeyChecking" in word for word in words)


def test_the_page_is_served_and_nothing_else(place):
    page = place / "load_test.html"
    page.write_text("<p>load</p>", encoding="utf-8")
    (place / "secret").write_text("planted", encoding="utf-8")
    port = tunnel.free_port(0)
    program = Program(page=str(page), page_port=port)
    program.until("try: curl")
    for path in ("", "load_test.html", "load_test.html?x=1"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=WAIT) as answer:
            assert answer.read() == b"<p>load</p>"
    for path in ("secret", "../secret", "%2e%2e/secret", "pids"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=WAIT)
    program.process.terminate()
    program.end()


def test_the_usual_port_is_taken_if_it_is_free():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert tunnel.free_port(port) not in (0, port)
    assert tunnel.free_port(port) == port


@pytest.fixture(name="record")
def record_of_a_tunnel(place):
    """A record, whose tunnel ends with the test."""
    record = tunnel_record.Record(str(place / "r1"))
    yield record
    record.stop()


def test_one_in_the_background_is_known_again_and_ended(record, place):
    wanted = settings(background=True)
    assert record.running() is None and record.stop() is False
    pid = record.start(wanted, WAIT)
    assert tunnel_record.Record(str(place / "r1")).running() == {"pid": pid, "settings": wanted}
    assert os.stat(record.path).st_mode & 0o777 == 0o600 and os.stat(record.log).st_mode & 0o777 == 0o600
    assert record.stop() is True
    assert record.running() is None and not Path(record.path).exists() and not lives(pid)
    none_left(place)


def test_another_process_with_its_number_is_left_alone(record):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        Path(record.path).parent.mkdir()
        noted = {"pid": other.pid, "settings": settings(background=True)}
        Path(record.path).write_text(json.dumps(noted), encoding="utf-8")
        assert record.running() is None and record.stop() is False
        assert other.poll() is None
        other.communicate(b"\n")


def test_one_that_does_not_open_leaves_no_record(record, place):
    (place / "refused").touch()
    with pytest.raises(tunnel.Broken, match=r"^No tunnel to r1-00: Host key verification failed\.$"):
        record.start(settings(background=True), WAIT)
    assert not Path(record.path).exists()
