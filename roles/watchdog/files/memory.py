# SPDX-License-Identifier: GPL-3.0-or-later
"""What the judge keeps in mind between its looks, and what follows from it about ranks, nodes and tokens. Pure."""

import faults

# Ray on a node that is older than the head's belongs to a Ray that has ended.
HASTE = 4
# Processes of ranks that outlive the server by more than this hang.
LEFTOVER = 8


class Memory:
    """Attributes are the judge's: settings, ranks, starts, lost_at, progress, uncounted, renewed, events."""

    def note_progress(self, seen):
        """Any token, of a prompt or an answer, is progress."""
        metrics = seen["metrics"]
        moved = metrics and metrics["generated"] + metrics["prompt"]
        if moved != self.progress:
            self.progress, self.progress_at = moved, seen["now"]

    def note_event(self, now, reason):
        self.reason = reason
        self.events = [*self.events, {"at": now, "reason": reason, "up_after": None}][-20:]

    def close_event(self, now):
        if self.events and self.events[-1]["up_after"] is None:
            self.events[-1]["up_after"] = now - self.events[-1]["at"]

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

    def broken(self, seen):
        """Reason and culprits of what no longer works, or None."""
        now, settings = seen["now"], self.settings
        gone = faults.gone(settings, seen)
        if gone:
            return faults.sentence(gone), gone
        anew = [name for name, start in self.starts.items() if seen["reports"][name]["start"] != start]
        if anew:
            found = [faults.culprit(name, "Ray was started anew there", faults.JOURNAL) for name in anew]
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

    def revive(self, seen):
        """A new start of Ray where it reports, and the head's Ray does not count it for too long; later and later."""
        actions, now = [], seen["now"]
        head = self.settings["head"]
        uncounted = faults.uncounted(self.settings, seen)
        # Ray that is busy with a start of the engine may be late; without one it must answer.
        if seen["ray"] is None and not (self.phase == "starting" and any(self.ranks.values())):
            uncounted = [head]
        uncounted = [name for name in uncounted if name in faults.fresh(self.settings, seen)]
        self.uncounted = {
            key: self.uncounted.get(key, now) for key in ((name, seen["reports"][name]["start"]) for name in uncounted)
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
