# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums numbers over all nodes: collective.py run | done SETTINGS, on every node at the same time.

SETTINGS is a JSON object of nodes (name to address), head, me (names), port, timeout (seconds), mib, gpus (of each
node), python (one that has torch), user. First every node connects to every other one (reach.py), then torch measures
(measure.py).
Within the timeout it prints one line, or ends with one sentence. `done` tells by status 0 that there is nothing to do:
the check was passed since the boot, or an engine's process runs here.
"""

import hashlib
import json
import os
import pwd
import queue
import subprocess
import sys
import threading
import time

import reach

MARKERS = "/run/gh200/collective"
WORKER = b"ray::RayWorker"


def main(mode, text):
    """None when all is right, else one sentence, or a status."""
    settings = json.loads(text)
    if mode == "done":
        return done(settings)
    try:
        measured = check(settings)
        print(measured, flush=True)
        os.makedirs(MARKERS, exist_ok=True)
        with open(marker(settings), "w", encoding="utf-8") as file:
            file.write(measured + "\n")
        return None
    except (Failed, OSError) as error:
        return str(error)


class Failed(Exception):
    """The nodes do not work together, in one sentence."""


def done(settings):
    """0 or 1; prints what was measured."""
    try:
        with open(marker(settings), encoding="utf-8") as file:
            print(file.read(), end="")
        return 0
    except FileNotFoundError:
        return 0 if is_serving(settings) else 1


def marker(settings):
    """Path of the file with the line of a check that these nodes have passed; it is gone after a boot."""
    told = json.dumps([settings[key] for key in ("nodes", "head", "gpus", "python")], sort_keys=True)
    return f"{MARKERS}/{hashlib.sha256(told.encode()).hexdigest()[:16]}"


def is_serving(settings):
    """Whether a rank of an engine lives here: Ray's worker, or the server itself on the head."""
    is_active = ["systemctl", "is-active", "--quiet", "vllm.service"]
    if settings["me"] == settings["head"] and subprocess.run(is_active, check=False).returncode == 0:
        return True
    return any(title(pid).startswith(WORKER) for pid in os.listdir("/proc") if pid.isdigit())


def title(pid):
    """Command line of a process, empty if it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def check(settings):
    """The line about what was measured; Failed with the sentence."""
    deadline = time.monotonic() + settings["timeout"]
    names = order(settings)
    if len(names) * settings["gpus"] == 1:
        return "one rank on one node: there is nothing to sum"
    interface = settings.get("interface") or find_interface(settings)
    ranks = Ranks(settings, names, interface)
    try:
        if len(names) > 1:
            # torch loads meanwhile, which takes seconds.
            trouble = reach.check(settings, settings["timeout"] * 0.4, settings["timeout"] * 0.6)
            if trouble:
                raise Failed(trouble)
            print(f"all {len(names)} nodes reach each other", flush=True)
        return line(ranks.run(deadline), len(names), interface)
    finally:
        ranks.end()


def order(settings):
    """Names in the order of the ranks, the head first."""
    return sorted(settings["nodes"], key=lambda name: (name != settings["head"], name))


def find_interface(settings):
    """Name of the interface that has this node's address."""
    address = settings["nodes"][settings["me"]]
    shown = subprocess.run(
        ["ip", "-json", "-4", "address", "show", "to", address], capture_output=True, text=True, check=False
    )
    found = [entry["ifname"] for entry in json.loads(shown.stdout or "[]") if "ifname" in entry]
    if not found:
        raise Failed(
            f"{reach.title(settings['nodes'], settings['me'])} has no interface with this address: "
            "see `ip address` there, and the inventory."
        )
    return found[0]


class Ranks:
    """The processes of this node, one for each GPU. They are begun early, and go on when all nodes reach each other."""

    def __init__(self, settings, names, interface):
        self.settings = settings
        self.said = queue.Queue()
        self.steps = {}
        first = names.index(settings["me"]) * settings["gpus"]
        common = {
            "names": names,
            "gpus": settings["gpus"],
            "address": settings["nodes"][names[0]],
            "port": settings["port"] + 1,
            "mib": settings["mib"],
        }
        self.processes = [
            self.begin({**common, "rank": first + number}, interface) for number in range(settings["gpus"])
        ]

    def begin(self, rank, interface):
        """Start a process as the engine's user, and a thread that reads what it says."""
        try:
            account = pwd.getpwnam(self.settings["user"])
        except KeyError:
            raise Failed(
                f"{self.settings['me']} has no user {self.settings['user']!r}: correct collective_check_user."
            ) from None
        switch = {}
        if os.getuid() != account.pw_uid:
            groups = os.getgrouplist(account.pw_name, account.pw_gid)
            switch = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}
        process = subprocess.Popen(
            [
                self.settings["python"],
                os.path.join(os.path.dirname(os.path.abspath(__file__)), "measure.py"),
                json.dumps(rank),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            **switch,
            env={
                "OMP_NUM_THREADS": "1",
                "NCCL_DEBUG": "WARN",
                **os.environ,
                "HOME": account.pw_dir,
                "USER": account.pw_name,
                "GLOO_SOCKET_IFNAME": interface,
                "NCCL_SOCKET_IFNAME": interface,
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )
        threading.Thread(target=self.read, args=(rank["rank"], process.stdout), daemon=True).start()
        return process

    def read(self, rank, stream):
        """Lines of JSON; libraries may print others, which go to the log."""
        for text in stream:
            try:
                self.said.put((rank, dict(json.loads(text))))
            except (ValueError, TypeError):
                print(text.rstrip(), flush=True)
        self.said.put((rank, {"error": "the process ended without a word"}))

    def run(self, deadline):
        """The result of the ranks of this node."""
        results = {}
        for process in self.processes:
            try:
                process.stdin.write(f"{max(0, deadline - time.monotonic()) + 5}\n")  # this program gives up before
                process.stdin.flush()
            except BrokenPipeError:
                continue  # it has ended; why, it has said
        while len(results) < len(self.processes):
            try:
                rank, said = self.said.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise Failed(self.late()) from None
            if "error" in said and rank not in results:
                raise Failed(
                    f"{self.where(rank)} failed at: {self.steps.get(rank, 'its start')}; {said['error']}. {ADVICE}"
                )
            if "step" in said:
                self.steps[rank] = said["step"]
                print(said["step"], flush=True)
            if "result" in said:
                results[rank] = said["result"]
        return next(iter(results.values()))

    def late(self):
        """Where it stands still."""
        rank, step = next(iter(self.steps.items()), (0, "loading torch"))
        return f"{self.where(rank)} did not get on within {self.settings['timeout']} s; it waits for: {step}. {ADVICE}"

    def where(self, rank):
        return f"The check of the network on {self.settings['me']} (rank {rank})"

    def end(self):
        """No process outlives the check."""
        for process in self.processes:
            process.kill()
            process.wait()


ADVICE = "What the other nodes wait for is in their logs; NCCL's words, if any, are above."


def line(result, nodes, interface):
    """What was measured, for people."""
    pairs = ", ".join(f"{one} to {other} {rate:.2f}" for one, other, rate in result["pairs"])
    ranks = f" ({result['ranks']} ranks)" if result["ranks"] != nodes else ""
    between = f"; pairs in GB/s: {pairs}" if pairs else ""
    return (
        f"all-reduce over {nodes} nodes{ranks} on {interface} ({result['backend']}): "
        f"{result['rate']:.2f} GB/s of bus bandwidth, sums right{between}"
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
