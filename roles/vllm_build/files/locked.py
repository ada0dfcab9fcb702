# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs exact versions that are held to checksums: locked.py FILE, requirements with --hash for all that is needed.

What fetches may fail, and is tried again. A file with another checksum is not: it is told in one sentence, the last
line.
"""

import os
import re
import subprocess
import sys
import time

PAUSES = (5, 20, 60)  # seconds
# As pip tells it: the requirement and its address, the checksums that were expected, and what came.
MISMATCH = re.compile(
    r"^ +(?P<name>\S+==\S+?)(?: from (?P<url>[^\s#]+)\S*)?(?: \(from .*\))?:$(?:\n +Expected .*)+\n +Got +(?P<got>\w+)",
    re.MULTILINE,
)


def main(path):
    """None when all is installed, else what to tell."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", path]
    for pause in (*PAUSES, None):
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        sys.stderr.write(done.stderr)
        if done.returncode == 0:
            return None
        wrong = MISMATCH.search(done.stderr)
        if wrong:
            return refusal(wrong, os.path.basename(path))
        if pause:
            print(f"Trying again in {pause} seconds", flush=True)
            time.sleep(pause)
    return f"{path} could not be installed: the lines above say what pip lacks."


def refusal(wrong, name):
    """One sentence about a file that is not what the lock says."""
    return (
        f"{wrong['name']} from {wrong['url'] or 'the package index'} has the checksum {wrong['got']}, which is none of "
        f"those that the lock ({name}) has for it: it was changed on its way or at its source, and was not installed. "
        "See which index this node asks (`pip config list`), or put the checksum that you trust into a file of "
        "vllm_build_locks."
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
