# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory of 1,000 instances costs: calls of the API, and the time of `ansible-inventory --list` against a
static file with the same hosts.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
COUNT, RUNS, LIMIT = 1000, 5, 1.5


def instance(number: int) -> dict:
    """Four of five are nodes of one fleet, with all that the API gives."""
    name, tags = f"box-{number:04d}", []
    if number % 5:
        name = f"r1-{number:02d}"
        told = {"gh200:fleet": "r1", "gh200:node": name, "gh200:run": f"1800000000-{number:08x}"}
        told |= {"gh200:launched": "1800000000", "gh200:expires": "1800086400"}
        tags = [{"key": key, "value": value} for key, value in told.items()]
    return {
        "id": f"{number:032x}",
        "name": name,
        "status": "active",
        "ip": f"198.18.{number // 250}.{number % 250}",
        "private_ip": f"10.0.{number // 250}.{number % 250}",
        "hostname": name,
        "ssh_key_names": ["laptop"],
        "file_system_names": ["shared"],
        "region": {"name": "us-east-3", "description": "Washington DC, USA"},
        "instance_type": {
            "name": "gpu_1x_gh200",
            "description": "1x GH200 (96 GB)",
            "gpu_description": "GH200 (96 GB)",
            "price_cents_per_hour": 229,
            "specs": {"vcpus": 64, "memory_gib": 432, "storage_gib": 4096, "gpus": 1},
        },
        "jupyter_token": "0" * 32,
        "jupyter_url": "https://jupyter.example.com",
        "tags": tags,
        "actions": {
            action: {"available": True} for action in ("migrate", "rebuild", "restart", "cold_reboot", "terminate")
        },
    }


def serve(calls: list[str]) -> ThreadingHTTPServer:
    """An API that lists them, and notes each call."""
    body = json.dumps({"data": [instance(number) for number in range(COUNT)]}).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            calls.append(f"GET {self.path}")
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def listed(path: Path, home: str) -> tuple[float, dict]:
    """Seconds of one run, and what it printed."""
    env = os.environ | {"HOME": home, "ANSIBLE_LOCAL_TEMP": f"{home}/tmp"}
    started = time.monotonic()
    run = subprocess.run(
        [BIN / "ansible-inventory", "-i", path, "--list"],
        cwd=REPOSITORY,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - started
    if run.returncode:
        sys.exit(f"{run.stderr[-2000:]}\nbench: ansible-inventory failed on {path}.")
    return seconds, json.loads(run.stdout)


def static(content: dict) -> dict:
    """The same hosts, groups and variables as a static inventory has them."""
    groups = {
        name: {"hosts": dict.fromkeys(group.get("hosts", []))}
        for name, group in content.items()
        if name not in ("_meta", "all")
    }
    return {"all": {"hosts": content["_meta"]["hostvars"], "children": groups}}


def main() -> None:
    calls: list[str] = []
    server = serve(calls)
    with tempfile.TemporaryDirectory() as folder:
        plugin, file, fast = Path(folder, "lambda_cloud.yml"), Path(folder, "static.yml"), Path(folder, "static.json")
        plugin.write_text(
            json.dumps(
                {
                    "plugin": "gh200.inference.lambda_cloud",
                    "api_url": f"http://127.0.0.1:{server.server_port}/api/v1",
                    "api_key": "secret_bench_0000.key",
                    "request_interval": 0,
                    "state_dir": folder,
                }
            ),
            encoding="utf-8",
        )
        same = listed(plugin, folder)[1]
        if len(same["_meta"]["hostvars"]) != COUNT:
            sys.exit(f"bench: the inventory has {len(same['_meta']['hostvars'])} hosts instead of {COUNT}.")
        file.write_text(yaml.safe_dump(static(same), sort_keys=False), encoding="utf-8")
        # The same once more in JSON, which Ansible reads much faster.
        fast.write_text(json.dumps(static(same)), encoding="utf-8")
        if any(listed(path, folder)[1]["_meta"] != same["_meta"] for path in (file, fast)):
            sys.exit("bench: the static files have not the same hosts and variables.")
        calls.clear()
        times = [[listed(path, folder)[0] for path in (plugin, file, fast)] for turn in range(RUNS)]
    server.shutdown()
    ours, slow, quick = (statistics.median(column) for column in zip(*times, strict=False))
    print(
        f"{COUNT} instances: {len(calls) / RUNS:g} API call per run; seconds of ansible-inventory --list, "
        f"medians of {RUNS}:"
    )
    print(
        f"{ours:.2f} with the plugin, {slow:.2f} with static YAML ({ours / slow:.2f} times), "
        f"{quick:.2f} with static JSON ({ours / quick:.2f} times)"
    )
    if calls != ["GET /api/v1/instances"] * RUNS:
        sys.exit(f"bench: one call of /instances per run was wanted; there were {len(calls)} in {RUNS} runs.")
    if ours > LIMIT * min(slow, quick):
        sys.exit(f"bench: the limit is {LIMIT} times a static file.")


if __name__ == "__main__":
    main()
