# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch one source archive from the package index that pip is set to, and check it.

`pip download` cannot: it asks the source for its version, and vLLM adds the
device to it ("0.7.2+cpu"), so that pip refuses its own choice.
"""

import hashlib
import http.client
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

PAUSES = [0, 2, 5, 15, 45]  # seconds before each try


def main(name, file, sha256, target, source=""):
    if not os.path.exists(target) or digest(target) != sha256:
        url = source or find(name, file)
        patiently(url, lambda answer: save(answer, target + ".part"))
        if (got := digest(target + ".part")) != sha256:
            sys.exit(
                f"{file} from {url} has the checksum {got}, wanted is {sha256}: "
                "it was changed on its way or at its source. Nothing was built."
            )
        os.replace(target + ".part", target)


def find(name, file):
    """Address of the file, from the index page of its project."""
    page = f"{index().rstrip('/')}/{name}/"
    links = re.findall(r'href="([^"]+)"', patiently(page, lambda answer: answer.read().decode()))
    for link in links:
        if urllib.parse.urlsplit(link).path.endswith("/" + file):
            return urllib.parse.urljoin(page, link)
    sys.exit(f"The package index at {page} has no {file}: set vllm_build_source to where it is.")


def patiently(url, use):
    """What use(answer) gives; again after a pause that grows, unless the server says that it has no such thing."""
    reason = "it was not asked"
    for pause in PAUSES:
        time.sleep(pause)
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return use(answer)
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error))
            if isinstance(error, urllib.error.HTTPError) and error.code < 500 and error.code != 429:
                break
    sys.exit(f"{url} cannot be read ({reason}): see whether the node reaches it, or set vllm_build_source to a mirror.")


def save(answer, path):
    """The whole of an answer in a file. Raises OSError if it ended early."""
    with open(path, "wb") as sink:
        shutil.copyfileobj(answer, sink)
    length = answer.headers.get("Content-Length")
    if length and os.path.getsize(path) != int(length):
        raise OSError(f"the connection ended after {os.path.getsize(path)} of {length} bytes")


def index():
    """The index that pip is configured to use, or pip's own default."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    settings = dict(line.split("=", 1) for line in listed.splitlines() if "=" in line)
    for name in (":env:.index-url", "install.index-url", "global.index-url"):
        if settings.get(name, "").strip("'\""):
            return settings[name].strip("'\"")
    from pip._internal.models.index import PyPI

    return PyPI.simple_url


def digest(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
