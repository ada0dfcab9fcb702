# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what the head's Ray counts, a line of JSON every two seconds, until its reader is gone: look.py ADDRESS.

Run by the engine's Python as Ray's user. It ends when Ray does not answer; the watchdog starts it again.
"""

import json
import sys
import time

import ray

INTERVAL = 2.0


def main(address):
    """One connection for all looks: each one would cost a second."""
    ray.init(address=address, log_to_driver=False, logging_level="critical")
    while True:
        nodes = {
            node["NodeManagerAddress"]: int(node["Resources"].get("GPU", 0)) for node in ray.nodes() if node["Alive"]
        }
        print(json.dumps({"nodes": nodes, "free": ray.available_resources().get("GPU", 0)}), flush=True)
        time.sleep(INTERVAL)


if __name__ == "__main__":
    main(sys.argv[1])
