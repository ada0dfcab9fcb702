# SPDX-License-Identifier: GPL-3.0-or-later
"""Hands a compiler's output on, and tells how far it is: COMMAND | follow.py STEP STEPS WORDS

ninja counts "[12/300]". Where GH200_PROGRESS names a file, that is written there as JSON, in one piece, at most
once a second.
"""

import json
import os
import re
import sys
import time

COUNT = re.compile(r"^\s*\[(\d+)/(\d+)\]")


class Progress:
    """The file, and the pace of what was counted."""

    def __init__(self, path, step, steps, what, clock=time.monotonic):
        self.path, self.told = path, {"what": what, "step": step, "steps": steps}
        self.clock, self.begun, self.written = clock, None, None

    def line(self, text):
        """One line of the output."""
        found = COUNT.match(text)
        if not found or not self.path:
            return
        done, total, now = int(found[1]), int(found[2]), self.clock()
        if self.begun is None or done < self.begun[0]:
            # Another run of ninja: what it counts begins anew.
            self.begun, self.written = (done, now), None
        if self.written is not None and now - self.written < 1 and done < total:
            return
        self.written = now
        self.write({**self.told, "done": done, "total": total, "unit": "files", **self.left(done, total, now)})

    def left(self, done, total, now):
        """seconds_left, once something was done."""
        first, since = self.begun
        if done == first or now <= since:
            return {}
        return {"seconds_left": round((now - since) / (done - first) * (total - done))}

    def write(self, content):
        """A build does not end because nobody can be told."""
        try:
            with open(self.path + ".new", "w", encoding="utf-8") as stream:
                json.dump(content, stream)
            os.replace(self.path + ".new", self.path)
        except OSError as error:
            print(f"The progress cannot be told: {error}", flush=True)
            self.path = None


def main(step, steps, *words):
    progress = Progress(os.environ.get("GH200_PROGRESS"), int(step), int(steps), " ".join(words))
    for line in sys.stdin:
        sys.stdout.write(line)
        sys.stdout.flush()
        progress.line(line)


if __name__ == "__main__":
    sys.stdin.reconfigure(errors="replace")
    main(*sys.argv[1:])
