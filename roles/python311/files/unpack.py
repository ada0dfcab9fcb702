# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch one archive of python-build-standalone, hold it to its checksum, unpack it: unpack.py URL SHA256 FOLDER.

FOLDER gets what is below `python/` in the archive. It has its name when all of it is there, and the mark last.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

MARK = ".gh200-complete"
PAUSES = (2, 10, 30)


class Refused(Exception):
    """What went wrong, in one sentence."""


def main(url, sha256, folder):
    """None when the folder is whole, else one sentence."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    work = tempfile.mkdtemp(prefix=".python-", dir=os.path.dirname(folder))
    try:
        archive = os.path.join(work, "archive.tar.gz")
        fetch(url, archive)
        require(archive, url, sha256)
        unpack(archive, url, work)
        with open(os.path.join(work, "python", MARK), "w", encoding="utf-8") as mark:
            mark.write(f"{sha256}\n")
        if os.path.lexists(folder):  # what an older program left unfinished
            shutil.rmtree(folder)
        os.rename(os.path.join(work, "python"), folder)
    except Refused as refused:
        return str(refused)
    except OSError as error:
        return f"Python could not be unpacked into {folder}: {error}. Look at the disk there."
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{folder} is complete")
    return None


def fetch(url, archive):
    """The archive, again after a pause; what has come is not kept, for it is small. Raises Refused."""
    for pause in (*PAUSES, None):
        try:
            print(f"fetching {url}", flush=True)
            with urllib.request.urlopen(url, timeout=60) as answer, open(archive, "wb") as file:
                shutil.copyfileobj(answer, file)
            return
        except (OSError, ValueError) as error:
            gone = isinstance(error, urllib.error.HTTPError) and error.code in (401, 403, 404, 410)
            gone = gone or isinstance(getattr(error, "reason", None), FileNotFoundError)
            if gone or pause is None or isinstance(error, ValueError):
                raise Refused(
                    f"{url} could not be fetched: {error}. Correct python311_uv_url, or look at the connection."
                ) from error
            time.sleep(pause)


def require(archive, url, sha256):
    """Raises Refused for another checksum."""
    digest = hashlib.sha256()
    with open(archive, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != sha256:
        raise Refused(
            f"{url} has the sha256 {digest.hexdigest()} instead of {sha256}, and was not unpacked: correct "
            "python311_uv_sha256 if you know why, else take another archive."
        )


def unpack(archive, url, work):
    """Into `work`, as root's; raises Refused for what is no Python 3.11."""
    done = subprocess.run(
        ["tar", "--extract", "--gzip", "--no-same-owner", "--file", archive, "--directory", work],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode or not os.path.exists(os.path.join(work, "python/bin/python3.11")):
        said = (done.stderr.strip().splitlines() or ["it has no python/bin/python3.11"])[0]
        raise Refused(f"{url} is no install_only archive of Python 3.11 as .tar.gz: {said}. Choose another one.")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
