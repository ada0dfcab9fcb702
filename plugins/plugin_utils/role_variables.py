# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the roles of this collection say of their variables: specifications, defaults, and what does not fit them."""

from __future__ import annotations

import difflib
import pathlib
import re
import typing as t

ROLES = pathlib.Path(__file__).resolve().parents[2] / "roles"
# A name this near to a documented one (0 to 1, as difflib measures) is taken for a slip of the pen.
NEAR = 0.88

Load = t.Callable[[str], t.Any]
Options = dict[str, dict[str, t.Any]]


def names() -> list[str]:
    """All roles that have a specification."""
    return sorted(path.parents[1].name for path in ROLES.glob("*/meta/argument_specs.yml"))


def options(role: str, load: Load) -> Options:
    """Name to specification of each variable of the role's main entry point; `load` reads a YAML file."""
    return load(str(ROLES / role / "meta/argument_specs.yml"))["argument_specs"]["main"].get("options") or {}


def defaults(role: str, load: Load) -> dict[str, t.Any]:
    """What the role's defaults and vars say, as templates."""
    found: dict[str, t.Any] = {}
    for kind in ("defaults", "vars"):
        folder = ROLES / role / kind
        for path in (folder / "main.yml", *sorted((folder / "main").glob("*.yml"))):
            if path.is_file():
                found.update(load(str(path)) or {})
    return found


def slips(given: t.Iterable[str], known: t.Iterable[str]) -> dict[str, str]:
    """Each given name that no role knows, to the one that was probably meant; others are somebody else's."""
    known = set(known)
    near = {
        name: difflib.get_close_matches(name, known, n=1, cutoff=NEAR)
        for name in given
        if name not in known and not name.startswith("_")
    }
    return {name: found[0] for name, found in sorted(near.items()) if found}


def differing(first: t.Mapping[str, t.Any], other: t.Mapping[str, t.Any]) -> set[str]:
    """Names whose templates two hosts do not share."""
    absent = object()
    return {name for name in {*first, *other} if first.get(name, absent) != other.get(name, absent)}


def touched(templates: t.Mapping[str, t.Any], changed: t.Iterable[str]) -> set[str]:
    """The `changed` names, and those whose templates name one of them, over any number of steps.

    A name that a template only puts together while it is computed is not found.
    """
    mentions = {name: {*re.findall(r"[A-Za-z_]\w*", str(value))} & {*templates} for name, value in templates.items()}
    found, before = {*changed}, -1
    while len(found) != before:
        before = len(found)
        found |= {name for name, words in mentions.items() if words & found}
    return found
