# SPDX-License-Identifier: GPL-3.0-or-later
"""What a second run of site.yml costs: host-tasks per node, control-node CPU, and the same for plain ssh to compare
with.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
INVENTORY = "inventory/lab"
BIN = Path(sys.executable).parent


def measure(call) -> tuple[float, float]:
    """Wall and CPU seconds of the processes that `call` waits for."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    call()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.monotonic() - started, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def site(counts: Path) -> None:
    """One run, which must change nothing."""
    env = os.environ | {
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "host_tasks",
        "HOST_TASKS_FILE": str(counts),
    }
    run = subprocess.run(
        [BIN / "ansible-playbook", "-i", INVENTORY, "site.yml"],
        cwd=REPOSITORY,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(f"{run.stdout[-2000:]}\nbench: site.yml failed; run `make lab` first.")


def plain_ssh(hosts: dict) -> None:
    """`true` on every node at once, over new connections."""

    def one(variables):
        command = [
            "ssh",
            "-F",
            "none",
            "-o",
            "BatchMode=yes",
            "-o",
            "ControlPath=none",
            *variables["ansible_ssh_common_args"].split(),
            "-i",
            variables["ansible_ssh_private_key_file"],
            f"{variables['ansible_user']}@{variables['ansible_host']}",
            "true",
        ]
        subprocess.run(command, check=True, capture_output=True)

    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        list(pool.map(one, hosts.values()))


def main() -> None:
    listed = subprocess.run(
        [BIN / "ansible-inventory", "-i", INVENTORY, "--list"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    hosts = json.loads(listed)["_meta"]["hostvars"]
    if not hosts:
        sys.exit("bench: the lab has no nodes; run `make lab` first.")
    with tempfile.TemporaryDirectory() as folder:
        counts = Path(folder, "counts.json")
        wall, cpu = measure(lambda: site(counts))
        done = json.loads(counts.read_text(encoding="utf-8"))
    ssh_wall, ssh_cpu = measure(lambda: plain_ssh(hosts))
    nodes = {host: done[host] for host in sorted(hosts)}
    for host, count in nodes.items():
        print(f"{host}: {count.get('run', 0)} host-tasks run, {count.get('skipped', 0)} skipped")
    tasks = sum(count.get("run", 0) + count.get("skipped", 0) for count in nodes.values())
    print(
        f"second run of site.yml on {len(nodes)} nodes: {wall:.1f} s, {cpu:.1f} s of control-node CPU, "
        f"{tasks} host-tasks, {1000 * cpu / tasks:.0f} ms each"
    )
    print(f"plain ssh to each node once: {ssh_wall:.1f} s, {ssh_cpu:.1f} s of CPU")
    print(f"site.yml takes {wall / ssh_wall:.0f} times the wall time and {cpu / ssh_cpu:.0f} times the CPU of that")


if __name__ == "__main__":
    main()
