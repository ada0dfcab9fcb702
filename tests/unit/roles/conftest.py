# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the roles as modules, and a small server for them to talk to."""

from __future__ import annotations

import importlib.util
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROLES = Path(__file__).resolve().parents[3] / "roles"


@pytest.fixture(name="load")
def load_program(monkeypatch):
    """load("role/file.py"): the program, fresh each time; it may import the files beside it."""

    def load(name):
        role, file = name.split("/", 1)
        path = ROLES / role / "files" / file
        monkeypatch.syspath_prepend(path.parent)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(name="serve")
def local_server():
    """serve(answer): address of a server that answers (status, body) = answer(method, path, headers, body)."""
    servers = []

    def serve(answer):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, content = answer(self.command, self.path, self.headers, sent)
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_HEAD = do_POST = do_GET

            def log_message(self, *args):
                pass

        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
