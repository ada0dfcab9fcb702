# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx, which gives verified files to the other nodes, on one address and to the fleet only.

It is a child of this program and ends with it; systemd ends what a killed program leaves in its unit.
"""

import json
import os
import pwd
import shutil
import signal
import subprocess
import time

from .peers import STATUS

CONFIG = """\
daemon off;
pid {state}/nginx.pid;
error_log {state}/nginx.log warn;
worker_processes 4;
{user}
events {{ worker_connections 1024; }}
http {{
  access_log off;
  default_type application/octet-stream;
  sendfile on;
  sendfile_max_chunk 2m;
  tcp_nopush on;
  server_tokens off;
  client_body_temp_path {state}/nginx-body;
  proxy_temp_path {state}/nginx-proxy;
  fastcgi_temp_path {state}/nginx-fastcgi;
  uwsgi_temp_path {state}/nginx-uwsgi;
  scgi_temp_path {state}/nginx-scgi;
  server {{
    listen {address}:{port};
    root {state}/serve;
{allow}
    deny all;
  }}
}}
"""


class Server:
    """Serves state/serve, where each verified file has a link."""

    def __init__(self, state, address, port):
        self.state, self.address, self.port = state, address, port
        self.root, self.child, self.status = state / "serve", None, None
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)

    def start(self, allowed):
        """Begin to serve, or serve others than before. False and a line on the log where it cannot be."""
        self._configure(allowed)
        if self.child and self.child.poll() is None:
            self.child.send_signal(signal.SIGHUP)
            return True
        program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if not program:
            print("nginx is not installed: this node gives no files to the others", flush=True)
            return False
        command = ["setpriv", "--pdeathsig", "TERM", program, "-c", self.state / "nginx.conf", "-p", self.state]
        with (self.state / "nginx.out").open("wb") as output:
            self.child = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        time.sleep(0.3)
        if self.child.poll() is None:
            return True
        said = (self.state / "nginx.out").read_text(errors="replace").strip().splitlines()
        print(
            f"nginx did not start, so this node gives no files: {said[-1] if said else 'it said nothing'}", flush=True
        )
        return False

    def _configure(self, allowed):
        user = f"user {pwd.getpwuid(0).pw_name};" if os.geteuid() == 0 else ""
        allow = "\n".join(f"    allow {address};" for address in sorted(allowed))
        text = CONFIG.format(state=self.state, user=user, address=self.address, port=self.port, allow=allow)
        (self.state / "nginx.conf").write_text(text, encoding="utf-8")

    def give(self, key, name, path):
        """A verified file is there for the others from now on."""
        link = self.root / key / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(path)

    def tell(self, have, wants, moved):
        """The file that the others read: what this node has, whether it wants more, a number that grows as it gets."""
        status = json.dumps({"have": have, "wants": wants, "moved": moved})
        if status != self.status:
            self.status = status
            temporary = self.state / "status.new"
            temporary.write_text(status, encoding="utf-8")
            os.replace(temporary, self.root / STATUS)

    def stop(self):
        """Give no more."""
        if self.child and self.child.poll() is None:
            self.child.terminate()
            self.child.wait()
        shutil.rmtree(self.root, ignore_errors=True)
