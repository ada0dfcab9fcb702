# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides, from what was seen, what is wrong and what is done about it. Nothing is asked or changed here.

`Judge.judge` takes a look (a dict, see watch.py) and gives actions: ("stop",), ("start",), ("check",) all that the
engine must know, ("canary",) one question, ("renew", node, reason) a new start of Ray on a node. Times are seconds
of one clock.

A service goes through: starting, ready, and when something fails healing (stopping, then waiting for the nodes) and
starting again, with growing pauses; or given up. Stopped is a unit that somebody stopped.
"""

import faults

# Seconds before the first, second ... start that follows a failure; after as many failures it ends.
PAUSES = (0, 5, 20, 60, 180)
# A service that was ready for so long has its failures forgiven.
STABLE = 600
# A canary that was not answered is conclusive only when nothing else moved either.
CONCLUSIVE = "no answer"
# How long systemd, on a busy machine, may take to show that what was started runs.
GRACE = 45
# Ray on a node that is older than the head's belongs to a Ray that has ended.
HASTE = 4
# Processes of ranks that outlive the server by more than this hang.
LEFTOVER = 8


class Judge:
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
        self.note_progress(seen)
        self.culprits = faults.missing(self.settings, seen)
        before = self.phase
        actions = self.handlers[before](seen)
        if self.phase != before:
            self.since = seen["now"]
        return actions

    def note_progress(self, seen):
        """Any token, of a prompt or an answer, is progress."""
        metrics = seen["metrics"]
        moved = metrics and metrics["generated"] + metrics["prompt"]
        if moved != self.progress:
            self.progress, self.progress_at = moved, seen["now"]

    # Each phase.

    def while_stopped(self, seen):
        if seen["unit"]["state"] != "inactive":
            self.failures = 0
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
            self.phase, self.ready_since, self.reason = "ready", now, ""
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
        if now - self.since > STABLE:
            self.failures = 0
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
            self.phase, self.step, self.stopped_at, self.pause_end = "healing", "nodes", seen["now"], seen["now"]
        return []

    # What they share.

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
        if self.failures or seen["unit"]["state"] == "failed":
            return self.heal(seen, reason)
        self.failures = 1
        self.note_event(seen["now"], reason)
        self.begin(seen)
        return []

    def heal(self, seen, reason, culprits=()):
        """Stop the server first, for it holds on to ranks that may hang."""
        now = seen["now"]
        self.failures += 1
        self.note_event(now, reason)
        self.culprits = list(culprits)
        self.ready_since, self.renewed = None, {}
        self.phase, self.step, self.stopped_at = "healing", "stopping", now
        self.pause_end = now + PAUSES[min(self.failures, len(PAUSES)) - 1]
        if self.failures > len(PAUSES):
            self.phase, self.starts = "given up", {n: r["start"] for n, r in seen["reports"].items()}
        return [("stop",)]

    def note_event(self, now, reason):
        self.reason = reason
        self.events = [*self.events, {"at": now, "reason": reason, "up_after": None}][-20:]

    def close_event(self, now):
        if self.events and self.events[-1]["up_after"] is None:
            self.events[-1]["up_after"] = now - self.events[-1]["at"]

    def broken(self, seen):
        """Reason and culprits of what no longer works, or None."""
        now, settings = seen["now"], self.settings
        gone = faults.gone(settings, seen)
        if gone:
            return faults.sentence(gone), gone
        anew = [name for name, start in self.starts.items() if seen["reports"].get(name, {}).get("start") not in (start, None)]
        if anew:
            found = [faults.culprit(name, "Ray was started anew there", "see `journalctl -u ray` there") for name in anew]
            return faults.sentence(found), found
        lost = self.lost_ranks(seen)
        if lost:
            return faults.lost(lost, seen)
        if now - seen["metrics_at"] > settings["silence"] * 2:
            return faults.hung("The server does not answer on /metrics", seen)
        running = seen["metrics"]["running"] if seen["metrics"] else 0
        if running and now - self.progress_at > settings["stall"]:
            return faults.hung(f"No token for {now - self.progress_at:.0f} s with {running:.0f} requests running", seen)
        return None

    def note_ranks(self, seen):
        """The most processes of ranks that each node had in this start of the engine, and which Ray they belong to."""
        for name, report in seen["reports"].items():
            if report["at"] > self.since:
                self.ranks[name] = max(self.ranks.get(name, 0), len(report["ranks"]))
                self.starts[name] = report["start"]

    def lost_ranks(self, seen):
        """Nodes with fewer ranks than they had, in two looks."""
        reports = faults.fresh(self.settings, seen)
        fewer = {name for name, report in reports.items() if len(report["ranks"]) < self.ranks.get(name, 0)}
        self.lost_at = {name: self.lost_at.get(name, seen["now"]) for name in fewer}
        return sorted(name for name, first in self.lost_at.items() if seen["now"] - first >= 2)

    def revive(self, seen):
        """A new start of Ray where it reports, and the head's Ray does not count it for too long; later and later."""
        actions, now = [], seen["now"]
        head = self.settings["head"]
        uncounted = [head] if seen["ray"] is None else faults.uncounted(self.settings, seen)
        uncounted = [name for name in uncounted if name in faults.fresh(self.settings, seen)]
        self.uncounted = {
            key: self.uncounted.get(key, now)
            for key in ((name, seen["reports"][name]["start"]) for name in uncounted)
        }
        for (name, start), first in list(self.uncounted.items()):
            times = self.renewed.get(name, 0)
            patience = HASTE if older(seen, name, head) else self.settings["join"] * 2 ** min(times, 4)
            if now - first > patience:
                self.renewed[name] = times + 1
                # Once for each start of Ray there: the next one has its own time.
                self.uncounted[(name, start)] = float("inf")
                actions.append(("renew", name, "the head's Ray does not count this node"))
        return actions

    def clear(self, seen):
        """A new start of Ray where ranks outlive the server; and everywhere when that was not enough before."""
        reports = faults.fresh(self.settings, seen)
        # As they were said to be after the server had ended.
        hang = [
            name
            for name, report in reports.items()
            if report["ranks"] and report["at"] > self.stopped_at and name not in self.renewed
        ]
        if hang and seen["now"] - self.stopped_at < LEFTOVER:
            return [("wait",)]
        every = [name for name in reports if name not in self.renewed] if self.failures > 2 else []
        actions = [("renew", name, "its ranks outlive the server") for name in hang]
        actions += [("renew", name, "earlier starts failed") for name in every if name not in hang]
        for _verb, name, _reason in actions:
            self.renewed[name] = 1
        return actions


def older(seen, name, head):
    """Whether Ray runs longer on that node than on the head."""
    reports = seen["reports"]
    return head in reports and reports[name]["uptime"] > reports[head]["uptime"] + 2
