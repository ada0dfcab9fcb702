# SPDX-License-Identifier: GPL-3.0-or-later
"""How long earlier starts of this model in this shape took, stage by stage, and what that leaves of this one.

A file of JSON on this node: a list of starts, the latest last, each with the seconds at which its stages began and
at which it was right.
"""

import json
import os
import statistics

KEPT = 5
RIGHT = "right"


class Starts:
    """Those of one file; `path` may not be there yet."""

    def __init__(self, path):
        self.path = path
        self.earlier = read(path)
        self.current = {}

    def left(self, stage, seconds):
        """Seconds left when this start has run for so many and is in that stage; None where no start has been so far.

        It counts from the begin of the stage, for what went before may have been faster this time.
        """
        begin = self.current.setdefault(stage, seconds)
        rest = [start[RIGHT] - start[stage] for start in self.earlier if stage in start]
        return max(0.0, statistics.median(rest) - (seconds - begin)) if rest else None

    def end(self, seconds):
        """All was right. Whole or not at all; a start that was joined late has no first stage, and is not kept."""
        if not any(moment < 30 for moment in self.current.values()):
            return
        kept = [*self.earlier, {**self.current, RIGHT: seconds}][-KEPT:]
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(kept, file, indent=1)
        os.replace(self.path + ".new", self.path)


def read(path):
    """What earlier runs wrote; a file that is no such list counts as none."""
    try:
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
        return [{str(name): float(moment) for name, moment in start.items()} for start in kept if RIGHT in start]
    except (OSError, ValueError, TypeError, AttributeError):
        return []
