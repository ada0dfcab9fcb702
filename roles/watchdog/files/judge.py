# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides, from what was seen, what is wrong and what is done about it. Nothing is asked or changed here.

`Judge.judge` takes a look (a dict, see watch.py) and gives actions: ("stop",), ("start",), ("check",) all that the
engine must know, ("canary",) one question, ("renew", node, reason) a new start of Ray on a node. Times are seconds
of one clock.

A service goes through: starting, ready, and when something fails healing (stopping, then waiting for the nodes) and
starting again, with growing pauses; or given up. Stopped is a unit that somebody stopped.
"""

import faults
import memory

# Seconds before the first, second ... start that follows a failure; after as many failures it ends.
PAUSES = (0, 5, 20, 60, 180)
# A service that was ready has its failed starts forgiven; but so many failures in so many seconds count like them.
FLAPS, FLAPPING = 6, 600
# A canary that was not answered is conclusive only when nothing else moved either.
CONCLUSIVE = "no answer"
# How long systemd, on a busy machine, may take to show that what was started runs.
GRACE = 45


class Judge(memory.Memory):
    """The state of one service. `settings`: nodes, gpus, silence, gone, stall, idle, join, start_timeout."""

    def __init__(self, settings, now):
        self.settings = settings
        self.phase, self.since = "starting", now
        self.failures, self.events = 0, []
        self.reason, self.culprits, self.invocation, self.restarts = "", [], None, 0
        self.ranks, self.starts = {}, {}
        self.progress, self.progress_at = None, now
        self.checking, self.canary_at, self.doubts, self.lost_at = False, now, 0, {}
        self.pause_end, self.renewed, self.uncounted = now, {}, {}
        self.ready_since, self.step, self.stopped_at, self.started = None, "", now, False
        self.handlers = {
            "stopped": self.while_stopped,
            "starting": self.while_starting,
            "ready": self.while_ready,
            "healing": self.while_healing,
            "given up": self.when_given_up,
        }

    @property
    def ready(self):
        """Whether a request would be answered, as far as anyone can tell."""
        return self.phase == "ready" and not self.culprits

    def judge(self, seen):
        """Actions. What was found stands in phase, reason and culprits."""
        if seen["unit"]["busy"] and self.phase in ("starting", "ready"):
            return []
        self.note_progress(seen)
        self.culprits = faults.missing(self.settings, seen)
        before = self.phase
        actions = self.handlers[before](seen)
        if self.phase != before:
            self.since = seen["now"]
        return actions

    # Each phase.

    def while_stopped(self, seen):
        if seen["unit"]["state"] != "inactive":
            self.failures, self.reason = 0, ""
            self.begin(seen)
        return []

    def while_starting(self, seen):
        unit, now = seen["unit"], seen["now"]
        if unit["state"] == "inactive" and now - self.since > (GRACE if self.started else 0):
            return self.stop_by_hand()
        if self.invocation is None and unit["pid"]:
            self.invocation, self.restarts = unit["invocation"], unit["restarts"]
        if self.has_ended(unit):
            return self.ended(seen, "The engine ended while it started")
        lost = self.lost_ranks(seen) if unit["state"] == "active" else []
        if lost:
            return self.heal(seen, *faults.lost(lost, seen))
        # Without ranks it waits for its nodes; with them it waits for those in vain.
        gone = [found for found in faults.gone(self.settings, seen) if self.ranks.get(found["node"])]
        if gone:
            return self.heal(seen, faults.sentence(gone), gone)
        self.note_ranks(seen)
        check = seen["check"]
        if check and check["invocation"] == self.invocation:
            self.checking = False
            if check["trouble"]:
                return self.heal(seen, check["trouble"])
            self.phase, self.ready_since, self.reason, self.failures = "ready", now, "", 0
            self.canary_at = self.progress_at = now
            self.close_event(now)
            return []
        if seen["metrics"] and not self.checking and self.invocation:
            self.checking = True
            return [("check",)]
        if now - self.since > self.settings["start_timeout"] and not self.culprits:
            return self.heal(seen, f"The engine was not up within {self.settings['start_timeout']:.0f} s.")
        return self.revive(seen)

    def while_ready(self, seen):
        unit, now = seen["unit"], seen["now"]
        if unit["state"] == "inactive":
            return self.stop_by_hand()
        if self.has_ended(unit):
            return self.ended(seen, "The engine ended")
        found = self.broken(seen)
        if found:
            return self.heal(seen, *found)
        idle = self.settings["idle"]
        canary = seen["canary"]
        if canary and canary["asked"] == self.canary_at and canary["trouble"]:
            silent = canary["trouble"].startswith(CONCLUSIVE)
            if silent and self.progress_at > canary["asked"]:
                self.doubts = 0
            elif silent or self.doubts:
                return self.heal(seen, *faults.hung(f"The canary failed: {canary['trouble']}", seen))
            else:
                self.doubts, self.canary_at = 1, now
                return [("canary", now)]
        elif canary and canary["asked"] == self.canary_at:
            self.doubts = 0
        if now - self.progress_at >= idle and now - self.canary_at >= idle:
            self.canary_at = now
            return [("canary", now)]
        return []

    def while_healing(self, seen):
        state, now = seen["unit"]["state"], seen["now"]
        if self.step == "stopping":
            if state in ("inactive", "failed"):
                self.step, self.stopped_at = "nodes", now
            elif seen["unit"]["pid"] and seen["unit"]["invocation"] != self.invocation:
                self.begin(seen)  # somebody else was quicker
            elif now - self.stopped_at > GRACE:
                self.stopped_at = now
                return [("stop",)]
            return []
        if state in ("active", "activating"):  # somebody else started it
            self.begin(seen)
            return []
        if not seen["unit"]["enabled"]:
            return self.stop_by_hand()
        actions = self.revive(seen) + self.clear(seen)
        if actions or self.culprits or now < self.pause_end:
            return actions
        waiting = faults.waiting(self.settings, seen)
        if waiting:
            self.culprits = waiting
            return []
        self.begin(seen)
        self.started = True
        return [("start",)]

    def when_given_up(self, seen):
        if seen["unit"]["state"] in ("active", "activating"):
            self.failures = 0
            self.begin(seen)
        elif {name: report["start"] for name, report in seen["reports"].items()} != self.starts and not self.culprits:
            # A node came back or was replaced: one more try.
            self.failures = len(PAUSES) - 1
            self.resume("healing")
        else:
            self.culprits.append(faults.gave_up(self.settings))
        return []

    # What they share.

    def resume(self, phase):
        """Go on with what an earlier watchdog was about."""
        if phase in ("healing", "given up"):
            self.phase, self.step = "healing", "nodes"

    def begin(self, seen):
        """A start of the engine, whoever asked for it."""
        self.phase, self.since, self.step = "starting", seen["now"], ""
        self.invocation, self.restarts, self.checking, self.doubts = None, 0, False, 0
        self.ranks, self.starts, self.lost_at, self.ready_since, self.started = {}, {}, {}, None, False
        if seen["unit"]["state"] == "active" and seen["unit"]["pid"]:
            self.invocation, self.restarts = seen["unit"]["invocation"], seen["unit"]["restarts"]

    def stop_by_hand(self):
        self.phase, self.reason, self.culprits, self.ready_since = "stopped", "Somebody stopped it.", [], None
        return []

    def has_ended(self, unit):
        """Whether the start of the engine that is watched is over."""
        other = self.invocation and unit["pid"] and unit["invocation"] != self.invocation
        return unit["state"] == "failed" or (unit["ended"] and self.invocation is not None) or bool(other)

    def ended(self, seen, what):
        """systemd starts it again; with failures in a row it is stopped for a pause first. Or somebody restarted it."""
        if seen["unit"]["pid"] and seen["unit"]["restarts"] <= self.restarts:
            self.failures = 0
            self.begin(seen)
            return []
        words = seen["unit"]["words"]
        reason = f"{what}, {words}" if words else f"{what}."
        if self.failures or seen["unit"]["state"] == "failed" or self.recent(seen["now"]) >= FLAPS:
            return self.heal(seen, reason)
        self.failures = 1
        self.note_event(seen["now"], reason)
        self.begin(seen)
        return []

    def recent(self, now):
        """Failures of late."""
        return sum(now - event["at"] < FLAPPING for event in self.events)

    def heal(self, seen, reason, culprits=()):
        """Stop the server first, for it holds on to ranks that may hang."""
        now = seen["now"]
        self.failures = max(self.failures + 1, self.recent(now) + 1 - FLAPS)
        self.note_event(now, reason)
        self.culprits = list(culprits)
        self.ready_since, self.renewed = None, {}
        self.phase, self.step, self.stopped_at = "healing", "stopping", now
        self.pause_end = now + PAUSES[min(self.failures, len(PAUSES)) - 1]
        if self.failures > len(PAUSES):
            self.phase, self.starts = "given up", {n: r["start"] for n, r in seen["reports"].items()}
        return [("stop",)]
