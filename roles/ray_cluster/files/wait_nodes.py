# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until Ray counts every expected node with its GPUs, and no other; name those that are missing or too many."""

import json
import sys
import time

import ray


def main(address, timeout, gpus, expected):
    """Print what Ray counts, or exit with one sentence. `expected` is name to address."""
    deadline = time.monotonic() + timeout
    while True:
        nodes, trouble = count(address)
        missing = {name: ip for name, ip in expected.items() if sum(nodes.get(ip, ())) < gpus}
        # One that is gone is alive for its head until some seconds have passed; so is a Ray that was started anew.
        strangers = sorted(set(nodes) - set(expected.values()))
        twice = sorted(name for name, ip in expected.items() if len(nodes.get(ip, ())) > 1)
        if not missing and not strangers and not twice:
            print(json.dumps({"nodes": len(nodes), "gpus": int(sum(map(sum, nodes.values())))}))
            return
        if time.monotonic() > deadline:
            break
        time.sleep(1)
    if missing:
        names = ", ".join(f"{name} ({ip})" for name, ip in missing.items())
        sys.exit(
            f"{len(missing)} of {len(expected)} nodes have not joined Ray at {address} within {timeout:.0f} s: "
            f"{names}."
            f"{' ' + trouble if trouble else ''} See `journalctl -u ray` there, "
            "and that all TCP ports are open between the nodes."
        )
    if strangers:
        sys.exit(
            f"The Ray at {address} has nodes that are not of this cluster, and a rank could land there: "
            f"{', '.join(strangers)}. Stop Ray there (`systemctl disable --now ray`), then run this again."
        )
    sys.exit(
        f"More than one Ray of {', '.join(twice)} has joined the one at {address}: stop what is not the service ray "
        "there (`pgrep --list-full raylet` shows it), then run this again."
    )


def count(address):
    """GPUs of each Ray that lives, by its node's address, and what went wrong if nothing could be read."""
    try:
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, logging_level="critical")
        found = {}
        for node in ray.nodes():
            if node["Alive"]:
                found.setdefault(node["NodeManagerAddress"], []).append(node["Resources"].get("GPU", 0))
        return found, ""
    except Exception as error:
        ray.shutdown()
        return {}, f"The head's Ray does not answer ({type(error).__name__})."


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), json.loads(sys.argv[4]))
