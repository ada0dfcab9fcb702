# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask every address that a build will fetch from, before an hour is spent on it.

The argument is a JSON list of {kind, url, variable, unless}: kind is git or file,
variable is what to set if it does not answer, and a file at unless makes it needless.
A package has also name, version and python, the interpreter that will install it; its
url is a further index, or empty.
All that does not answer is told in one sentence.
"""

import concurrent.futures
import json
import os
import platform
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request

PAUSES = [0, 2, 5]  # seconds before each try
LIMIT = 20  # seconds for one try


def main(addresses):
    wanted = [address for address in addresses if not (address.get("unless") and os.path.exists(address["unless"]))]
    with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(ask, wanted))
    missing = [
        reason for address, reason in zip(wanted, answers, strict=False) if reason and address["kind"] == "package"
    ]
    if missing:
        sys.exit(" ".join(missing))
    silent = [
        f"{address['url']} ({reason}; set {address['variable']})"
        for address, reason in zip(wanted, answers, strict=False)
        if reason
    ]
    if silent:
        sys.exit(
            f"The build will fetch from what does not answer this node: {', '.join(silent)}. Nothing was begun: "
            "see whether the node reaches the internet, or set the variables to mirrors of your own."
        )


def ask(address):
    """Why the address does not answer, or an empty string."""
    if address["kind"] == "package":
        return package(address)
    for pause in PAUSES:
        time.sleep(pause)
        reason, final = (git if address["kind"] == "git" else head)(address["url"])
        if not reason or final:
            break
    return reason


def package(address):
    """A sentence if the index has no wheel of this version that fits this node, else an empty string."""
    name, version, python = address["name"], address["version"], address["python"]
    if not os.path.exists(python):
        return ""  # in check mode, before there is an environment
    command = [python, "-m", "pip", "install", "--dry-run", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-deps", "--ignore-installed", "--only-binary=:all:", f"{name}=={version}"]
    if address["url"]:
        command += ["--extra-index-url", address["url"]]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if result.returncode == 0:
        return ""
    found = re.search(r"from versions: ([^)]*)\)", result.stderr)
    newest = found[1].split(", ")[-8:] if found else []
    if newest and newest != ["none"]:
        return (
            f"The package index has no wheel of {name} {version} for this node ({platform.machine()}, {python}); "
            f"the newest that it has are {', '.join(newest)}. Nothing was begun: "
            f"set {address['variable']} to one of them."
        )
    reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
    return (
        f"The package index gives no wheel of {name} {version} to this node ({reason}). Nothing was begun: see whether "
        "the node reaches the index, or set vllm_build_index to one that has it."
    )


def head(url):
    """(reason, whether asking again is vain) for a file."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=LIMIT):
            return "", True
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}", error.code in (401, 403, 404, 410)
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error)), isinstance(error, ValueError)


def git(url):
    """The same for a repository."""
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0"}
    try:
        result = subprocess.run(
            ["git", "ls-remote", "--quiet", url, "HEAD"],
            capture_output=True,
            text=True,
            env=environment,
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {LIMIT} s", False
    except OSError as error:
        return str(error), True
    return ("", True) if result.returncode == 0 else ((result.stderr.strip().splitlines() or ["git failed"])[0], False)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
