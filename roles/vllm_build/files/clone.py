# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring one commit of a Git repository into a folder, without its history.

Usage: clone.py REPOSITORY COMMIT FOLDER VARIABLE [SUBMODULE REPOSITORY]
VARIABLE is what the sentence of a failure advises to set. Of the submodules
only the one that is named is fetched, from the repository that is named.
A fetch that fails is repeated after a pause that grows; what is there stays.
"""

import os
import subprocess
import sys
import time

PAUSES = [0, 5, 15, 45, 90]  # seconds before each try


def main(repository, commit, folder, variable, submodule="", mirror=""):
    bring(repository, commit, folder, variable)
    if submodule:
        listed = git(folder, "ls-tree", "HEAD", submodule).stdout.split()
        if len(listed) < 3 or listed[1] != "commit":
            sys.exit(
                f"{repository} has no submodule {submodule} at {commit}: set {variable} to a commit of the same kind."
            )
        bring(mirror, listed[2], os.path.join(folder, submodule), variable)


def bring(repository, commit, folder, variable):
    """The folder is at the commit afterwards, without changes. Exits with a sentence if that cannot be."""
    if not os.path.isdir(os.path.join(folder, ".git")):
        subprocess.run(["git", "init", "--quiet", folder], check=True)
    if git(folder, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}").returncode != 0:
        fetch(repository, commit, folder, variable)
    found = git(folder, "checkout", "--quiet", "--force", "--detach", commit)
    if found.returncode != 0:
        sys.exit(
            f"The clone of {repository} in {folder} cannot be set to {commit} ({told(found)}): "
            "remove that folder and run this again."
        )


def fetch(repository, commit, folder, variable):
    """One commit into the folder's objects."""
    for pause in PAUSES:
        time.sleep(pause)
        result = git(folder, "fetch", "--quiet", "--depth", "1", repository, commit)
        if result.returncode == 0:
            return
        print(f"Fetching {repository} failed: {told(result)}", flush=True)
    sys.exit(
        f"{repository} did not give the commit {commit} in {len(PAUSES)} tries ({told(result)}): "
        f"set {variable} to a mirror that has it."
    )


def git(folder, *arguments):
    """A finished run of git; it never asks for a password."""
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
    slow = ["-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60", "-c", "advice.detachedHead=false"]
    return subprocess.run(
        ["git", *slow, "-C", folder, *arguments], capture_output=True, text=True, env=environment, check=False
    )


def told(result):
    """The last line that git printed on its trouble."""
    return (result.stderr.strip().splitlines() or ["no reason given"])[-1]


if __name__ == "__main__":
    main(*sys.argv[1:])
