# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold an archive to its checksum: the one that is given, or the one of its first use.

Usage: hold.py ARCHIVE ADDRESS RECORD VARIABLE [SHA256]
Without SHA256 the checksum is written to RECORD, and from then on nothing else is
accepted. An archive that is refused is removed, so that the next run fetches it anew.
Prints the checksum.
"""

import hashlib
import os
import sys


def main(archive, address, record, variable, given=""):
    found = digest(archive)
    wanted, origin = (given, f"{variable} says") if given else (recorded(record), f"{record} holds from its first use")
    if wanted and wanted != found:
        os.remove(archive)
        sys.exit(
            f"{address} has the checksum {found}, but {origin} {wanted}: it was changed on its way or at its source. "
            f"Nothing was built; take another address, or set {variable} to the checksum that you trust."
        )
    if not wanted:
        os.makedirs(os.path.dirname(record), exist_ok=True)
        with open(record + ".new", "w", encoding="utf-8") as stream:
            stream.write(f"{found}  {os.path.basename(address)}\n")
        os.replace(record + ".new", record)
    print(found)


def recorded(record):
    """The checksum of the first use, or an empty string."""
    try:
        with open(record, encoding="utf-8") as stream:
            return stream.read().split()[0]
    except FileNotFoundError:
        return ""


def digest(path):
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    main(*sys.argv[1:])
