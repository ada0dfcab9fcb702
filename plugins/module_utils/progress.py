# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How far a job on a node is: what its program wrote to the file GH200_PROGRESS, else what its log tells."""

from __future__ import annotations

import json
import math
import os
import re
import typing as t

from ansible_collections.gh200.inference.plugins.module_utils import systemd

VARIABLE = "GH200_PROGRESS"
NUMBERS = ("step", "steps", "done", "total", "rate", "seconds_left")

# For scripts: step 3 7 "Compiling vLLM". The line in the log comes in any case, the file where there is one to write.
STEP = r"""step() {
  local words=${3//[[:cntrl:]]/ }
  printf 'Step %d of %d: %s\n' "$1" "$2" "$words"
  [ -n "${GH200_PROGRESS:-}" ] || return 0
  words=${words//\\/\\\\}
  printf '{"what": "%s", "step": %d, "steps": %d}\n' "${words//\"/\\\"}" "$1" "$2" > "$GH200_PROGRESS.new"
  mv -f "$GH200_PROGRESS.new" "$GH200_PROGRESS"
}
"""
STEP_LINE = re.compile(r"Step (\d+) of (\d+): (.*)")
COUNT_LINE = re.compile(r"\[(\d+)/(\d+)\]\s*(.*)")  # as ninja and CMake count what they build
COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# Lines that tell nothing of how far a program is.
NOISE = re.compile(r"WARNING|DEPRECATION|\bWARN\b|[Ww]arning:|ulimit|Using (MAX_JOBS|NVCC_THREADS)|^[\W_]*$")


def look(path: str | None, log: str) -> dict[str, t.Any]:
    """The progress of a job, {} where nothing is known; `what` is always in it otherwise."""
    told = read(path) if path else {}
    logged = from_log(log)
    if not told:
        return logged
    # A step that compiles is as far as the compiler's own count says.
    if "total" not in told and "total" in logged:
        told.update(done=logged["done"], total=logged["total"])
    return told


def read(path: str) -> dict[str, t.Any]:
    """What the file says, {} where there is none that can be read. It belongs to the job's user, not to root: nothing
    but a plain file is read, and no more than the known keys are taken.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            told = json.loads(stream.read(65536))
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(told, dict) or not isinstance(told.get("what"), str):
        return {}
    found: dict[str, t.Any] = {"what": _line(told["what"])}
    if isinstance(told.get("unit"), str):
        found["unit"] = _line(told["unit"])[:20]
    found.update({name: told[name] for name in NUMBERS if _is_amount(told.get(name))})
    return found


def from_log(path: str) -> dict[str, t.Any]:
    """What the end of a log tells: a compiler's count after the last step, else its last line that says something."""
    what = ""
    for line in reversed(systemd.last_lines(path, 400)):
        text = _line(line.split("\r")[-1])
        count, step = COUNT_LINE.match(text), STEP_LINE.match(text)
        if count and (int(count[1]) < int(count[2]) or not what):
            return {"what": count[3] or text, "done": int(count[1]), "total": int(count[2])}
        if step:
            return {"what": step[3], "step": int(step[1]), "steps": int(step[2])}
        what = what or ("" if NOISE.search(text) else text)
    return {"what": what} if what else {}


def _line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f]", " ", COLOUR.sub("", text)).strip()[:120]


def _is_amount(value: t.Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0
