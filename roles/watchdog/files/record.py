# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of the service: a file, lines in the journal for news, and totals that outlive the engine."""

import datetime
import json
import os
import time

import faults

# Rates are over so many seconds.
WINDOW = 30
KEEP_INTERVAL = 60


class Record:
    """Written to `state_file` at each look, and with the totals to `history_file` at times."""

    def __init__(self, settings):
        self.settings = settings
        self.history = load(settings["history_file"]) or {"tokens": 0, "prompt_tokens": 0, "restarts": [], "last": None}
        self.before, self.events = self.history["restarts"], []
        # One offset for all: a time that is shown twice must be the same.
        self.offset = time.time() - time.monotonic()
        self.samples, self.kept_at, self.said = [], time.monotonic(), None

    def state(self, judge, seen, about):
        """What is known now, in a form that goes over HTTP. `about`: model, engine, shape."""
        self.count(seen)
        self.note(judge, seen)
        known = {
            "time": self.stamp(seen["now"]),
            "ready": judge.ready,
            "phase": judge.phase,
            "since": self.stamp(judge.since),
            "ready_since": self.stamp(judge.ready_since),
            "reason": judge.reason if not judge.ready else "",
            "culprits": judge.culprits,
            "warnings": faults.warnings(self.settings, seen),
            "failures": judge.failures,
            "about": about,
            "tokens_per_second": self.rate(),
            "running": seen["metrics"]["running"] if seen["metrics"] else None,
            "waiting": seen["metrics"]["waiting"] if seen["metrics"] else None,
            "tokens": self.history["tokens"],
            "prompt_tokens": self.history["prompt_tokens"],
            "restarts": self.history["restarts"][-5:],
            "nodes": {name: self.node(seen, name) for name in self.settings["nodes"]},
        }
        write(self.settings["state_file"], known)
        self.say(known)
        return known

    def node(self, seen, name):
        """One node's last word, without what is only for the judge."""
        report, address = seen["reports"].get(name), self.settings["nodes"][name]
        if report is None:
            return {"address": address, "silent": faults.silence(seen, name)}
        return {
            "address": address,
            "silent": faults.silence(seen, name),
            "counted": seen["ray"] is not None and seen["ray"]["nodes"].get(address, 0) >= self.settings["gpus"],
            "ranks": report["ranks"],
            "gpus": report["gpus"],
            "memory": report["memory"],
            "disks": report["disks"],
        }

    def count(self, seen):
        """Tokens over all starts of the engine, whose own counters begin at zero; without the watchdog's questions."""
        metrics = seen["metrics"]
        if metrics is None:
            return
        last = self.history["last"] or metrics
        gained = {name: metrics[name] - last[name] for name in ("generated", "prompt")}
        if min(gained.values()) < 0:
            gained = metrics
        self.history["tokens"] += int(max(0, gained["generated"] - seen["own"]["generated"]))
        self.history["prompt_tokens"] += int(max(0, gained["prompt"] - seen["own"]["prompt"]))
        self.history["last"] = metrics
        kept = [sample for sample in self.samples if seen["now"] - sample[0] <= WINDOW]
        self.samples = [*kept, (seen["now"], self.history["tokens"])]
        if seen["now"] - self.kept_at > KEEP_INTERVAL:
            self.keep(seen["now"])

    def rate(self):
        """Generated tokens per second of late, or None."""
        if len(self.samples) < 2:
            return None
        (first, before), (last, after) = self.samples[0], self.samples[-1]
        return (after - before) / (last - first) if last > first else None

    def note(self, judge, seen):
        """The judge's events; kept at once, for a reboot may follow."""
        events = [
            {"at": self.stamp(event["at"]), "reason": event["reason"], "seconds": event["up_after"]}
            for event in judge.events
        ]
        if (events, judge.phase) != (self.events, self.history.get("phase")):
            self.events, self.history["phase"] = events, judge.phase
            self.history["restarts"] = [*self.before, *events][-50:]
            self.keep(seen["now"])

    def stamp(self, moment):
        """A time of the judge's clock as the wall's, or None."""
        if moment is None:
            return None
        wall = datetime.datetime.fromtimestamp(round(self.offset + moment), datetime.timezone.utc)
        return wall.isoformat().replace("+00:00", "Z")

    def keep(self, now):
        """Whole or not at all."""
        self.kept_at = now
        write(self.settings["history_file"], self.history)

    def say(self, known):
        """To the journal, when it is news."""
        culprits = tuple(f"{found['node']}: {found['do']}" for found in known["culprits"])
        what = (known["phase"], known["ready"], known["reason"], culprits)
        warned = tuple((w["node"], w["what"].split(":")[0]) for w in known["warnings"])
        if (what, warned) == self.said:
            return
        self.said = (what, warned)
        print(f"{known['phase']}{'' if known['ready'] or known['phase'] != 'ready' else ', not ready'}", end="")
        print(f": {known['reason']}" if known["reason"] else "", flush=True)
        for found in (*known["culprits"], *known["warnings"]):
            print(f"  {found['node']}: {found['what']}; {found['do']}", flush=True)


def load(path):
    """The contents of a JSON file, None where there is none that can be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError):
        return None


def write(path, content):
    """Whole or not at all; a disk that is full must not end the watchdog."""
    try:
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(path + ".new", path)
    except OSError as error:
        print(f"{path} could not be written: {error}", flush=True)
