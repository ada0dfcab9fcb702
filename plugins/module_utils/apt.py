# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What apt and dpkg know on a node, and where an archive stands among its sources."""

from __future__ import annotations

import os
import re

from ansible_collections.gh200.inference.plugins.module_utils import openpgp, systemd

KEYRINGS = "/etc/apt/keyrings"
SOURCES = "/etc/apt/sources.list.d"
NOTES = "/var/lib/gh200/packages"
LISTING = ("dpkg-query", "--show", "--showformat=${Package}\t${db:Status-Status}\t${Provides}\n")


def installed(listing: str) -> tuple[set[str], set[str]]:
    """(names of packages, those and what they provide), of what LISTING prints."""
    names, provided = set(), set()
    for line in listing.splitlines():
        name, status, provides = [*line.split("\t"), "", ""][:3]
        if status == "installed":
            names.add(name)
            provided |= {word.strip().split()[0].partition(":")[0] for word in provides.split(",") if word.strip()}
    return names, names | provided


def key_path(name: str) -> str:
    """Where the key of an archive is."""
    return f"{KEYRINGS}/{name}.asc"


def source_path(name: str) -> str:
    """Where an archive is described."""
    return f"{SOURCES}/{name}.sources"


def source(name: str, uris: list[str], suites: list[str], components: list[str]) -> str:
    """The description of an archive, as deb822."""
    fields = {"Types": ["deb"], "URIs": uris, "Suites": suites, "Components": components, "Signed-By": [key_path(name)]}
    return "".join(f"{field}: {' '.join(words)}\n" for field, words in fields.items())


def fingerprint(text: str) -> str:
    """As apt_archive compares it: capitals without blanks."""
    return re.sub(r"\s", "", text).upper()


def has_key(path: str, wanted: str) -> bool:
    """Whether the file is a key with that fingerprint, and no other."""
    try:
        return openpgp.fingerprints(openpgp.dearmour(systemd.read(path) or "")) == [wanted]
    except ValueError:
        return False


def differs(path: str, text: str) -> bool:
    """Whether a file that all may read has another text or another mode."""
    return systemd.read(path) != text or os.stat(path).st_mode & 0o777 != 0o644
