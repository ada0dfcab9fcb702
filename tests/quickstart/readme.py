# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of a section of README.md, as a reader would type them."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def blocks(section: str) -> list[str]:
    """Texts of the section's shell blocks; raises ValueError where README.md has no such section."""
    found = re.search(rf"^## {re.escape(section)}\n(.*?)(?=^## )", README.read_text(encoding="utf-8"), re.M | re.S)
    if not found:
        raise ValueError(f"README.md has no section '{section}'.")
    return re.findall(r"^```sh\n(.*?)^```", found.group(1), re.M | re.S)


def commands(block: str) -> list[str]:
    """Its commands, each with its here-document; a line that has a <placeholder> is for a person and left out."""
    made, end = [], ""
    for line in block.splitlines():
        if end:
            made[-1] += f"\n{line}"
            end = "" if line == end else end
        elif line.strip() and not re.search(r"<[a-z][a-z_ ]*>", line):
            made.append(line)
            here = re.search(r"<<'(\w+)'", line)
            end = here.group(1) if here else ""
    return made
