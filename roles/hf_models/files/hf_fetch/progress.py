# SPDX-License-Identifier: GPL-3.0-or-later
"""How far it is: a line every few seconds, or the file that GH200_PROGRESS names."""

import json
import os
import time

from .words import GIB

EVERY = 3  # seconds
WINDOW = 60  # seconds over which the rate is taken


class Progress:
    """Of all models of this run together."""

    def __init__(self, what):
        self.what, self.seen, self.shown = what, [], 0.0
        self.path = os.environ.get("GH200_PROGRESS")

    def show(self, done, total, now, note="", last=False):
        """Say it, if it is time to."""
        if (now - self.shown < EVERY and not last) or not total:
            return
        self.shown = now
        self.seen = [one for one in self.seen if now - one[0] <= WINDOW] + [(now, done)]
        state = self._state(done, total, now, note)
        if self.path:
            self._write(state)
        else:
            print(line(state), flush=True)

    def _state(self, done, total, now, note):
        since, before = self.seen[0]
        rate = max(done - before, 0) / (now - since) if now > since else 0
        state = {"what": self.what + (f", {note}" if note else ""), "done": done, "total": total, "unit": "bytes"}
        if rate > 0:
            state |= {"rate": round(rate), "seconds_left": round(max(total - done, 0) / rate)}
        return state

    def _write(self, state):
        temporary = f"{self.path}.{os.getpid()}"
        try:
            with open(temporary, "w", encoding="utf-8") as stream:
                json.dump(state, stream)
            os.replace(temporary, self.path)
        except OSError as error:
            print(f"{self.path} cannot be written ({error}); progress is told here", flush=True)
            self.path = None


def line(state):
    """The same as a line of a log."""
    text = f"{state['what']}: {state['done'] / GIB:.2f} of {state['total'] / GIB:.2f} GiB"
    if "rate" in state:
        text += (
            f", {state['rate'] / 1e6:.0f} MB/s, {time.strftime('%H:%M:%S', time.gmtime(state['seconds_left']))} left"
        )
    return text
