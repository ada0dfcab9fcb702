# SPDX-License-Identifier: GPL-3.0-or-later
"""A service in steps of two seconds: an engine, Ray and nodes that obey the judge, and that break as a test says."""

from __future__ import annotations

import pytest

STEP = 2.0
NODES = {"r1-00": "10.0.0.1", "r1-01": "10.0.0.2", "r1-02": "10.0.0.3"}
SETTINGS = {
    "nodes": NODES,
    "head": "r1-00",
    "gpus": 1,
    "silence": 12,
    "gone": 45,
    "stall": 45,
    "idle": 20,
    "join": 30,
    "start_timeout": 300,
}
GIB = 1 << 30


@pytest.fixture(name="settings")
def of_three_nodes():
    """What the role tells the judge."""
    return SETTINGS


class World:
    """What the watchdog would see; `step` lets two seconds pass. Attributes are what breaks."""

    def __init__(self, judge_module):
        self.now = 1000.0
        self.judge = judge_module.Judge(SETTINGS, self.now)
        self.state, self.invocation, self.restarts, self.started_at = "active", "i1", 0, self.now - 100
        self.start_seconds, self.first_trouble = 20, None
        self.load, self.hang, self.answers = 0, False, None
        self.generated, self.moved_at = 0, self.now
        self.silent, self.uncounted, self.stopped, self.lost = set(), set(), set(), set()
        self.starts = {name: [f"{name}-1", self.now - 500] for name in NODES}
        self.heard = {}
        self.canary, self.check, self.answer_at = None, None, None
        self.enabled, self.busy = True, False
        self.ray_up, self.words, self.exit_pending = True, "", False
        self.done = []

    # What may happen.

    def die(self, words=""):
        """The engine ends by itself; systemd starts it again in a moment."""
        self.exit_pending, self.words = True, words

    def reboot(self, name, seconds):
        """A node is away for so long, and its Ray is another one then."""
        self.silent.add(name)
        self.lost.discard(name)
        self.uncounted.add(name)
        self.back = (self.now + seconds, name)

    # What is seen.

    @property
    def up(self):
        """Whether the engine serves."""
        return self.state == "active" and self.now - self.started_at >= self.start_seconds and self.whole()

    def whole(self):
        """Whether all nodes are there for a start."""
        return not self.silent and not self.uncounted

    def ranks(self, name):
        """A rank on each node from the middle of a start on."""
        if name in self.lost or (self.state != "active" and name not in self.stopped):
            return []
        if name not in self.stopped and self.now - self.started_at < self.start_seconds / 2:
            return []
        return [{"pid": 7, "state": "T" if name in self.stopped else "S"}]

    def report(self, name):
        """As node_report sends it."""
        start, since = self.starts[name]
        return {
            "at": self.now,
            "name": name,
            "start": start,
            "uptime": self.now - since,
            "ranks": self.ranks(name),
            "memory": {"total": 400 * GIB, "free": 300 * GIB, "kills": 0},
            "disks": {"/": {"size": 400 * GIB, "free": 100 * GIB}},
            "gpus": [{"used": 0, "total": 96 * GIB}],
        }

    def see(self):
        """One look."""
        for name in NODES:
            if name not in self.silent:
                self.heard[name] = self.report(name)
        metrics = None
        if self.up:
            if self.load and not self.hang:
                self.generated += 10
            metrics = {"generated": self.generated, "prompt": 0, "running": self.load, "waiting": 0}
            self.metrics_at = self.now
        if self.answer_at and self.now >= self.answer_at[0]:
            waited = self.answer_at[0] > self.answer_at[1] + 1
            trouble = "no answer within 20 s" if waited else self.answers
            self.canary, self.answer_at = {"asked": self.answer_at[1], "trouble": trouble}, None
        counted = {NODES[name]: 1 for name in NODES if name not in self.uncounted | self.silent}
        used = 0 if self.state in ("inactive", "failed") else len(NODES)
        return {
            "now": self.now,
            "listening": 900.0,
            "unit": {
                "enabled": self.enabled,
                "busy": self.busy,
                "state": "activating" if self.exit_pending else self.state,
                "ended": self.exit_pending,
                "invocation": self.invocation,
                "pid": 0 if self.state != "active" or self.exit_pending else 99,
                "restarts": self.restarts,
                "words": self.words,
            },
            "metrics": metrics,
            "metrics_at": getattr(self, "metrics_at", self.now),
            "canary": self.canary,
            "check": self.check,
            "reports": dict(self.heard),
            "kills": {},
            "ray": {"nodes": counted, "free": len(counted) - used} if self.ray_up else None,
        }

    def step(self, times=1):
        """So many looks; the actions of all."""
        actions = []
        for dummy in range(times):
            new = self.judge.judge(self.see())
            for action in new:
                self.obey(*action)
            actions += new
            self.now += STEP
            if self.exit_pending and not new:
                self.exit_pending = False
                self.begin(self.restarts + 1)
            if hasattr(self, "back") and self.now >= self.back[0]:
                self.renew(self.back[1])
                self.silent.discard(self.back[1])
                del self.back
        self.done += actions
        return actions

    def until(self, phase, seconds=600):
        """The seconds until the judge is in that phase, two at the least."""
        began = self.now
        self.step()
        while self.judge.phase != phase:
            self.step()
            assert self.now - began < seconds, f"still {self.judge.phase}: {self.judge.reason} {self.judge.culprits}"
        return self.now - began

    def begin(self, restarts):
        self.state, self.started_at, self.restarts = "active", self.now, restarts
        self.invocation = f"i{int(self.invocation[1:]) + 1}"
        self.lost, self.hang = set(), False

    def renew(self, name):
        """Ray begins anew there."""
        self.starts[name] = [f"{name}-{self.now:.0f}", self.now]
        self.uncounted.discard(name)
        self.stopped.discard(name)

    def obey(self, verb, *rest):
        if verb == "stop":
            self.state, self.exit_pending = "inactive", False
        elif verb == "start":
            self.begin(0)
        elif verb == "check":
            self.check = {"invocation": self.invocation, "trouble": self.first_trouble}
        elif verb == "canary":
            self.answer_at = (self.now + 20 if self.hang else self.now, rest[0])
        elif verb == "renew":
            self.renew(rest[0])


@pytest.fixture(name="world")
def a_world(load):
    """A service that has just become ready."""
    made = World(load("watchdog/judge.py"))
    made.until("ready")
    made.done.clear()
    return made
