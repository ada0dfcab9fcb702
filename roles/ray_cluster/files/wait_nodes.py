# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until Ray counts every expected node with its GPUs; name those that are missing."""

import json
import sys
import time

import ray


def main(address, timeout, gpus, expected):
    """Print what Ray counts, or exit with one sentence. `expected` is name to address."""
    deadline = time.monotonic() + timeout
    while True:
        seen, trouble = count(address)
        missing = {name: ip for name, ip in expected.items() if seen.get(ip, 0) < gpus}
        if not missing:
            print(json.dumps({"nodes": len(seen), "gpus": int(sum(seen.values()))}))
            return
        if time.monotonic() > deadline:
            names = ", ".join(f"{name} ({ip})" for name, ip in missing.items())
            sys.exit(
                f"{len(missing)} of {len(expected)} nodes have not joined Ray at {address} within {timeout:.0f} s: "
                f"{names}."
                f"{' ' + trouble if trouble else ''} See `journalctl -u ray` there, "
                "and that all TCP ports are open between the nodes."
            )
        time.sleep(1)


def count(address):
    """GPUs by address of the living nodes, and what went wrong if nothing could be read."""
    try:
        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, logging_level="critical")
        return {
            node["NodeManagerAddress"]: node["Resources"].get("GPU", 0) for node in ray.nodes() if node["Alive"]
        }, ""
    except Exception as error:
        ray.shutdown()
        return {}, f"The head's Ray does not answer ({type(error).__name__})."


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), json.loads(sys.argv[4]))
