# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node takes over from this machine: its Debian mirror, certificates, pip settings."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from ..errors import LabError

SUITES = ("bookworm", "bookworm-updates", "bookworm-security")
SOURCES = Path("/etc/apt")
CERTIFICATES = Path("/usr/local/share/ca-certificates")


def debian_sources(folder: Path = SOURCES) -> str:
    """The machine's entries for Debian 12, in deb822 form; third parties are left out."""
    stanzas = []
    for path in sorted(folder.glob("sources.list.d/*.sources")):
        for stanza in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
            if set(_field(stanza, "Suites").split()) & set(SUITES):
                stanzas.append("\n".join(line for line in stanza.strip().splitlines() if not line.startswith("#")))
    lists = [folder / "sources.list", *sorted(folder.glob("sources.list.d/*.list"))]
    for line in (line for path in lists if path.exists() for line in path.read_text(encoding="utf-8").splitlines()):
        found = re.match(r"deb\s+(?:\[[^]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)", line)
        if found and found.group(2) in SUITES:
            stanzas.append(
                f"Types: deb\nURIs: {found.group(1)}\nSuites: {found.group(2)}\nComponents: {found.group(3)}"
            )
    if not stanzas:
        raise LabError(
            f"No package source for Debian 12 (bookworm) was found in {folder}: the lab needs a Debian 12 machine."
        )
    return "\n\n".join(stanzas) + "\n"


def mirror(sources: str) -> str:
    """Address of the mirror that has the release itself."""
    for stanza in sources.split("\n\n"):
        if "bookworm" in _field(stanza, "Suites").split():
            return _field(stanza, "URIs").split()[0]
    raise LabError("The machine's package sources name no mirror for bookworm itself: add it to /etc/apt/sources.list.")


def apt_settings() -> str:
    """The machine's settings of apt that are about fetching: proxies, certificates, dates."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    wanted = ("Acquire::http", "Acquire::https", "Acquire::Check-", "Acquire::Retries", "Acquire::ForceIPv4")
    return "".join(f"{line}\n" for line in dump.splitlines() if line.startswith(wanted))


def certificates(folder: Path = CERTIFICATES) -> list[Path]:
    """Certificates that were added to this machine."""
    return sorted(folder.glob("**/*.crt"))


def pip_settings() -> dict[str, str]:
    """pip's own configuration here, the environment last, as pip itself reads it."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    settings = {}
    for prefix in ("global.", ":env:."):
        for line in listed.splitlines():
            name, _, value = line.partition("=")
            if name.startswith(prefix):
                settings[name.removeprefix(prefix)] = value.strip("'\"").replace("\\n", " ")
    return {
        name: settings[name]
        for name in ("index-url", "extra-index-url", "find-links", "cert", "default-timeout", "trusted-host", "proxy")
        if name in settings
    }


def local_folders(settings: dict[str, str]) -> list[Path]:
    """Folders of this machine that pip's settings name: nodes must see them too."""
    words = " ".join(settings.get(name, "") for name in ("index-url", "extra-index-url", "find-links")).split()
    paths = [Path(word.removeprefix("file://")) for word in words if word.startswith(("/", "file:///"))]
    return [path.parent if path.name == "simple" else path for path in paths if path.exists()]


def _field(stanza: str, name: str) -> str:
    found = re.search(rf"^{name}:\s*(.*)$", stanza, re.MULTILINE)
    return found.group(1).strip() if found else ""
