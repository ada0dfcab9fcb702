# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches the service on the head and heals it: watch.py SETTINGS.

Every two seconds it looks at the unit, the engine's counters, the reports of the nodes and what Ray counts, and lets
the judge say what to do. What it sees stands in a file, and behind /ready on loopback; changes go to the journal.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time

import engine
import judge
import listen
import record

INTERVAL = 2.0
# Of a node whose supervisor is older than this watchdog: it goes on until Ray is started anew there.
EMPTY = {"uptime": 0.0, "ranks": [], "memory": {"total": 0, "free": 1 << 40, "kills": 0}, "disks": {}, "gpus": []}
# Ray's look is out of date after so many seconds.
STALE = 15


class Watchdog:
    """One service, on this head."""

    def __init__(self, settings):
        self.settings = settings
        self.began = time.monotonic()
        self.reports, self.first, self.orders = {}, {}, {}
        self.ray, self.ray_at = None, 0.0
        self.engine = engine.Engine(settings)
        self.judge = judge.Judge(settings, self.began)
        self.record = record.Record(settings)
        self.judge.resume(self.record.history.get("phase"))
        self.shown = self.record.state(self.judge, self.see(), self.engine.about())

    def run(self):
        """Until it is stopped."""
        addresses = {"127.0.0.1", self.settings["nodes"][self.settings["head"]]}
        listen.serve(addresses, self.settings["port"], self.settings["nodes"], self.take, lambda: self.shown)
        threading.Thread(target=self.watch_ray, daemon=True).start()
        while True:
            seen = self.see()
            for verb, *rest in self.judge.judge(seen):
                self.act(verb, *rest)
            self.shown = self.record.state(self.judge, seen, self.engine.about())
            time.sleep(INTERVAL)

    def see(self):
        """One look, as the judge takes it."""
        now = time.monotonic()
        unit = self.engine.unit()
        unit["words"] = self.last_words(unit)
        return {
            "now": now,
            "listening": self.began,
            "unit": unit,
            "metrics": self.engine.metrics,
            "metrics_at": self.engine.metrics_at,
            "own": self.engine.take_own(),
            "canary": self.engine.canary,
            "check": self.engine.check,
            "reports": dict(self.reports),
            "kills": {n: r["memory"]["kills"] - self.first[n][1] for n, r in self.reports.copy().items()},
            "ray": self.ray if now - self.ray_at < STALE else None,
        }

    def last_words(self, unit):
        """Of a start that has ended: the journal is read only then."""
        watched = self.judge.invocation
        ended = watched and (unit["invocation"] != watched or unit["state"] == "failed" or unit["ended"])
        if not ended:
            return ""
        words = self.engine.words(watched)
        # Of a start that is over and followed by another, systemd no longer tells how it ended.
        return ", ".join(filter(None, [unit["exit"] if unit["invocation"] == watched else "", words]))

    def act(self, verb, *rest):
        """What the judge wants done. systemd does it in its own time, and the next looks show it."""
        if verb in ("stop", "start"):
            if verb == "start":
                engine.systemctl("reset-failed", self.settings["unit"])
            engine.systemctl(verb, "--no-block", self.settings["unit"])
        elif verb == "check":
            self.engine.examine(self.judge.invocation)
        elif verb == "canary":
            self.engine.ask(*rest)
        elif verb == "renew":
            name, reason = rest
            self.orders[name] = (self.reports[name]["start"], reason)

    def take(self, name, body):
        """A node's word, and the answer: the reason for a new start of Ray there, if there is one."""
        body = {**EMPTY, **body}
        if name not in self.first or self.first[name][0] != body["start"]:
            self.first[name] = (body["start"], body["memory"]["kills"])
        self.reports[name] = {**body, "at": time.monotonic()}
        start, reason = self.orders.get(name, (None, None))
        return {"restart": reason if start == body["start"] else None}

    def watch_ray(self):
        """Through a process of the engine's user that stays connected; one that says nothing is ended, by its pid."""
        argv = ["runuser", "--user", self.settings["user"], "--", self.settings["python"], self.settings["look"]]
        while True:
            with contextlib.suppress(OSError):
                self.follow([*argv, self.settings["ray"]])
            time.sleep(INTERVAL)

    def follow(self, argv):
        """What that process says, until it ends."""
        process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
        )
        watched = threading.Thread(target=self.end_silent_look, args=(process, time.monotonic()), daemon=True)
        watched.start()
        for line in process.stdout:
            # Ray has words of its own when it loses the head, and the last line may be half of one.
            with contextlib.suppress(ValueError):
                if line.startswith('{"nodes": '):
                    self.ray, self.ray_at = json.loads(line), time.monotonic()
        process.wait()
        watched.join()

    def end_silent_look(self, process, began):
        """The whole session of that process, which has no others."""
        while process.poll() is None:
            if time.monotonic() - max(began + 30, self.ray_at) > STALE:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, 9)
                return
            time.sleep(1)


def main(path):
    """Never returns."""
    with open(path, encoding="utf-8") as file:
        settings = json.load(file)
    Watchdog(settings).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
