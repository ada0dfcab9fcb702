# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch one source archive from the package index that pip is set to, and check it.

`pip download` cannot: it asks the source for its version, and vLLM adds the
device to it ("0.7.2+cpu"), so that pip refuses its own choice.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request


def main(name, file, sha256, target, source=""):
    if not os.path.exists(target) or digest(target) != sha256:
        url = source or find(name, file)
        with urllib.request.urlopen(url, timeout=60) as answer, open(target + ".part", "wb") as sink:
            shutil.copyfileobj(answer, sink)
        if (got := digest(target + ".part")) != sha256:
            sys.exit(f"{file} from {url} has the checksum {got}, wanted is {sha256}: it was changed on its way or at its source. Nothing was built.")
        os.replace(target + ".part", target)


def find(name, file):
    """Address of the file, from the index page of its project."""
    page = f"{index().rstrip('/')}/{name}/"
    with urllib.request.urlopen(page, timeout=60) as answer:
        links = re.findall(r'href="([^"]+)"', answer.read().decode())
    for link in links:
        if urllib.parse.urlsplit(link).path.endswith("/" + file):
            return urllib.parse.urljoin(page, link)
    sys.exit(f"The package index at {page} has no {file}: set vllm_build_source to where it is.")


def index():
    """The index that pip is configured to use, or pip's own default."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False).stdout
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
