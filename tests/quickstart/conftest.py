# SPDX-License-Identifier: GPL-3.0-or-later
"""An empty root, the simulated cloud and a hub, for someone who has nothing but README.md."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab.api.drivers import NullDriver
from tests.integration import simulator

REPOSITORY = Path(__file__).resolve().parents[2]
ADDRESS = "https://github.com/gh200/inference"
# Written literally in README.md.
KEY = "secret_..."


class Doors(NullDriver):
    """Instances of which all that there is speaks like sshd, and lets nobody in."""

    # Not those of another run on this machine.
    NETWORK = f"127.79.{os.getpid() % 250}"

    def __init__(self, stack: contextlib.ExitStack):
        super().__init__()
        self.stack = stack

    def create(self, spec):
        made = super().create(spec)
        node = dataclasses.replace(made, ip=f"{self.NETWORK}.{len(self.specs)}")
        server = self.stack.enter_context(socket.create_server((node.ip, 22)))
        # Wakes the thread, which else would hold the port for ever.
        self.stack.callback(server.shutdown, socket.SHUT_RDWR)
        threading.Thread(target=greet, args=(server,), daemon=True).start()
        return node


def greet(server: socket.socket) -> None:
    """Until the socket is closed."""
    with contextlib.suppress(OSError):
        while True:
            with server.accept()[0] as connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.fixture(name="cloud")
def simulated_cloud():
    """An account with the README's key, ssh key and filesystem; nothing takes time in it."""
    with contextlib.ExitStack() as stack, simulator.simulator(driver=Doors(stack), api_keys=[KEY]) as cloud:
        yield cloud


@pytest.fixture(name="hub")
def model_hub():
    """Address of a hub that knows every model."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format, *args):
            """Not in the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def checkout(folder: Path) -> Path:
    """A repository at `folder` with what git knows of this checkout, and what it would add."""
    listed = git("-C", REPOSITORY, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    names = "\0".join(name for name in listed.split("\0") if (REPOSITORY / name).is_file())
    folder.mkdir()
    archive = folder.with_suffix(".tar")
    subprocess.run(
        ["tar", "--create", f"--directory={REPOSITORY}", "--null", "--files-from=-", f"--file={archive}"],
        input=names,
        text=True,
        check=True,
    )
    subprocess.run(["tar", "--extract", f"--directory={folder}", f"--file={archive}"], check=True)
    git("-C", folder, "init", "--quiet")
    git("-C", folder, "add", "--all")
    git("-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "--message=All")
    return folder


def git(*arguments: str | Path) -> str:
    """Output of git."""
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


@pytest.fixture(name="type_in")
def reader(tmp_path, cloud, hub):
    """type_in(commands): (status, output) of each, typed into one shell in an empty folder, with an empty home.

    The collection's address leads to this checkout, the API's to the simulator, the hub's to a hub that knows all. pip
    takes the versions of constraints.txt.
    """
    home, here = tmp_path / "home", tmp_path / "empty"
    home.mkdir()
    here.mkdir()
    source = checkout(tmp_path / "source")
    (home / ".gitconfig").write_text(f'[url "file://{source}"]\n\tinsteadOf = {ADDRESS}.git\n', encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if ".venv" not in part)
    environment = kept | {
        "PATH": path,
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PIP_CONSTRAINT": str(REPOSITORY / "constraints.txt"),
        "LAMBDA_API_URL": cloud.url,
        "LAMBDA_REQUEST_INTERVAL": "0",
        "LAMBDA_LAUNCH_INTERVAL": "0",
    }
    variables = tmp_path / "variables.yml"
    variables.write_text(f"gh200_hub_endpoint: {hub}\ngh200_poll_interval: 0.1\n", encoding="utf-8")
    # Beside the inventory file, wherever the reader has come to.
    beside = "there=$([ -d inventory ] && echo inventory || echo .)/host_vars; mkdir -p $there"

    def type_in(commands):
        script = ""
        for command in commands:
            if command.startswith("ansible-playbook"):
                script += f"{beside}; cp {variables} $there/localhost.yml\n"
            script += f'{command}\necho "[status $?]"\n'
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=here,
            env=environment,
            text=True,
            timeout=900,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        parts = re.split(r"\[status (\d+)\]\n", done.stdout)
        return [(int(status), text) for text, status in zip(parts[0::2], parts[1::2], strict=False)]

    return type_in
