# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP: on loopback /ready (200 or 503) and / (all that is known); on the fleet's address what the nodes report."""

import http.server
import json
import threading

MOST = 65536


def serve(addresses, port, nodes, report, state):
    """In threads. `report(name, body)` gives the answer to a node's word; `state()` what is known."""
    shared = {"nodes": nodes, "report": staticmethod(report), "state": staticmethod(state)}
    handler = type("Handler", (Request,), shared)
    for address in addresses:
        server = http.server.ThreadingHTTPServer((address, port), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()


class Request(http.server.BaseHTTPRequestHandler):
    """One request; what it needs to know is given to a class of its own, see `serve`."""

    protocol_version = "HTTP/1.1"
    timeout = 10
    nodes, report, state = None, None, None

    def do_GET(self):
        """Only from this node."""
        known = self.state()
        if not self.client_address[0].startswith("127."):
            self.give(403, {"message": "only from this node"})
        elif self.path in ("/", "/ready"):
            self.give(200 if self.path == "/" or known["ready"] else 503, known)
        else:
            self.give(404, {"message": "there are / and /ready"})

    def do_POST(self):
        """Only a node's own word, from its own address."""
        size = self.headers.get("Content-Length", "")
        if self.path != "/report" or not size.isdigit() or int(size) > MOST:
            self.close_connection = True
            self.give(400, {"message": "nodes post to /report"})
            return
        try:
            body = json.loads(self.rfile.read(int(size)))
            name = str(body["name"])
            if self.nodes.get(name) != self.client_address[0]:
                self.give(403, {"message": f"{name} is not the node at {self.client_address[0]}"})
                return
            answer = self.report(name, body)
        except (ValueError, TypeError, KeyError):
            self.give(400, {"message": "not a report"})
            return
        self.give(200, answer)

    def give(self, status, content):
        """An answer in JSON."""
        text = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Nothing: a line every two seconds for each node says nothing."""
