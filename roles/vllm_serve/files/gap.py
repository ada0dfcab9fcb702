# SPDX-License-Identifier: GPL-3.0-or-later
"""How long clients had no answer: gap.py SETTINGS watch FOLDER | tell FOLDER.

`watch` asks for one token, four times a second, until `tell` ends it, which prints the time from the last good answer
to the first one after it. Where there was none before, the time counts from when the unit was last stopped. Address
and key are read for each question, since both may be what changes.
"""

import json
import os
import subprocess
import sys
import time

from endpoint import complete, served

EVERY = 0.25
LONGEST = 3600
TIMEOUT = 20


def main(path, mode, folder):
    """None, or one sentence."""
    if mode == "watch":
        watch(path, folder)
        return None
    try:
        print(tell(folder))
    except (OSError, ValueError) as error:
        return f"Nobody has looked for gaps on this node: {error}."
    return None


def watch(path, folder):
    """Notes what it saw in state.json, until there is a file `end` or an hour has gone."""
    os.makedirs(folder, exist_ok=True)
    for name in ("end", "state.json"):
        if os.path.exists(os.path.join(folder, name)):
            os.unlink(os.path.join(folder, name))
    seen = {"good": 0, "last": stopped_at(), "was_good": False, "gaps": []}
    deadline = time.monotonic() + LONGEST
    while not os.path.exists(os.path.join(folder, "end")) and time.monotonic() < deadline:
        note(seen, answers(path), time.time())
        keep(folder, seen)
        time.sleep(EVERY)


def note(seen, is_good, now):
    """One question was answered, or not."""
    if is_good:
        if not seen["was_good"] and seen["last"]:
            seen["gaps"].append([seen["last"], now])
        seen.update(last=now, good=seen["good"] + 1)
    seen["was_good"] = is_good


def answers(path):
    """Whether the endpoint gives a token of whatever it serves."""
    try:
        with open(path, encoding="utf-8") as file:
            settings = json.load(file)
        settings["timeout"] = TIMEOUT
        settings["model"] = served(settings)
        return len(complete(settings, settings["facts"][0]["prompt"], max_tokens=1)) == 1
    except (OSError, ValueError, LookupError):
        return False


def stopped_at():
    """When the unit was stopped, if it is; None where that is not known. systemd itself forgets a unit that is disabled
    and does not run, but the last line about it in the journal is its end.
    """
    if said("systemctl", "show", "vllm", "--value", "--property=ActiveState").strip() not in ("inactive", "failed"):
        return None
    lines = said("journalctl", "--unit=vllm", "--lines=1", "--output=json", "--no-pager").splitlines()
    return int(json.loads(lines[-1])["__REALTIME_TIMESTAMP"]) / 1e6 if lines else None


def said(*command):
    """Of a program."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def keep(folder, seen):
    """In one step."""
    path = os.path.join(folder, "state.json")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump({**seen, "time": time.time()}, file)
    os.replace(path + ".new", path)


def tell(folder):
    """The sentence, as soon as there is a good answer that is newer than the question, or after some seconds."""
    asked = time.time()
    while True:
        with open(os.path.join(folder, "state.json"), encoding="utf-8") as file:
            seen = json.load(file)
        if (seen["was_good"] and seen["last"] > asked) or time.time() - asked > TIMEOUT + 5:
            break
        time.sleep(EVERY)
    with open(os.path.join(folder, "end"), "w", encoding="utf-8"):
        pass
    return sentence(seen)


def sentence(seen):
    """Of what was seen."""
    if not seen["was_good"]:
        return "gap: it does not answer now, see `journalctl -u vllm`"
    if not seen["gaps"]:
        return f"gap: none, {seen['good']} answers without one that failed"
    parts = [f"{end - begin:.1f} s ({clock(begin)} to {clock(end)})" for begin, end in seen["gaps"]]
    return f"gap: {' and '.join(parts)} from the last good answer to the next"


def clock(moment):
    """Of the day, UTC."""
    return time.strftime("%H:%M:%S", time.gmtime(moment))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
