# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""tunnel: runs on the control node, and stays there for as long as the tunnel is open."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
import time

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.gh200.inference.plugins.plugin_utils import tunnel, tunnel_record
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import state_dir

display = Display()

PAGE_PORT = 1234
OPENING = 60  # seconds for a tunnel in the background


class ActionModule(ActionBase):
    """Opens it, tells where things are, and watches it or leaves it."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        super().run(tmp, task_vars)
        dummy, args = self.validate_argument_spec(
            argument_spec={
                "state": {"type": "str", "choices": ["watched", "started", "stopped"], "default": "watched"},
                "host": {"type": "str", "required": True},
                "ssh_config": {"type": "path", "required": True},
                "folder": {"type": "path", "required": True},
                "api": {"type": "str", "required": True},
                "dashboard": {"type": "str", "default": "127.0.0.1:8265"},
                "page": {"type": "path"},
                "key_file": {"type": "path", "no_log": False},
                "patience": {"type": "int", "default": 600},
            }
        )
        record = tunnel_record.Record(os.path.expanduser(args["folder"]))
        try:
            return getattr(self, args["state"])(args, record)
        except tunnel.Broken as broken:
            return {"failed": True, "msg": str(broken)}
        except OSError as error:
            return {"failed": True, "msg": f"The tunnel to {args['host']} failed: {state_dir.reason(error)}."}

    def stopped(self, args, record):
        """None in the background."""
        if self._task.check_mode:
            return {"changed": bool(record.running())}
        return {"changed": record.stop()}

    def started(self, args, record):
        """One in the background, with these ends."""
        running = record.running()
        if running and without_ports(running["settings"]) == without_ports(settings_of(args, True)):
            return {"changed": False, "pid": running["pid"], "lines": running["settings"]["lines"], "log": record.log}
        if self._task.check_mode:
            return {"changed": True}
        record.stop()
        settings = settings_of(args, True)
        pid = record.start(settings, OPENING)
        return {"changed": True, "pid": pid, "lines": settings["lines"], "log": record.log}

    def watched(self, args, record):
        """Until Ctrl-C, which ends the tunnel too: it lives as long as this process holds its standard input."""
        settings = settings_of(args, False)
        if self._task.check_mode:
            return {"changed": False, "lines": settings["lines"]}
        with subprocess.Popen(
            tunnel_record.argv(settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        ) as process:
            threading.Thread(target=outlive, args=(process, os.getppid()), daemon=True).start()
            for line in process.stdout or ():
                display.display(line.rstrip())
            words = process.stderr.read().strip().splitlines() if process.stderr else []
        if process.returncode != 0:
            raise tunnel.Broken(words[-1] if words else f"The tunnel ended with status {process.returncode}.")
        return {"changed": False, "lines": settings["lines"]}


def outlive(process, run):
    """No longer than the run that this process works for: when that is killed, its workers live on."""
    while process.poll() is None:
        if os.getppid() != run:
            process.terminate()
            return
        time.sleep(1)


def settings_of(args, background):
    """What the program is told, with ports that are free now."""
    forwards = []
    for name in ("api", "dashboard"):
        host, dummy, port = args[name].rpartition(":")
        if not host or not port.isdecimal():
            raise tunnel.Broken(f"{name} is {args[name]!r}: write it as 10.0.0.10:8000.")
        forwards.append({"host": host, "port": int(port), "local": tunnel.free_port(int(port))})
    page = os.path.abspath(os.path.expanduser(args["page"])) if args["page"] else ""
    page = page if page and os.path.exists(page) else ""
    page_port = tunnel.free_port(PAGE_PORT) if page else 0
    return {
        "background": background,
        "host": args["host"],
        "ssh_config": os.path.abspath(os.path.expanduser(args["ssh_config"])),
        "forwards": forwards,
        "page": page,
        "page_port": page_port,
        "patience": args["patience"],
        "lines": lines_of(args, [forward["local"] for forward in forwards], page, page_port),
    }


def lines_of(args, ports, page, page_port):
    """Where things are, and how to begin. The key's file is named, never the key."""
    api, dashboard = (f"http://{tunnel.LOCAL}:{port}" for port in ports)
    key_file = os.path.abspath(os.path.expanduser(args["key_file"])) if args["key_file"] else ""
    lines = [f"API:       {api}/v1" + (f" with the key in {key_file}" if key_file else ""), f"dashboard: {dashboard}"]
    if page:
        lines.append(f"load test: http://{tunnel.LOCAL}:{page_port}/{os.path.basename(page)}#api={api}/v1")
    key = f' -H "Authorization: Bearer $(cat {shlex.quote(key_file)})"' if key_file else ""
    return [*lines, f"try:       curl {api}/v1/models{key}"]


def without_ports(settings):
    """What makes two tunnels the same: not the ports that happened to be free."""
    forwards = [(forward["host"], forward["port"]) for forward in settings["forwards"]]
    return [settings[name] for name in ("host", "ssh_config", "page", "patience")] + forwards
