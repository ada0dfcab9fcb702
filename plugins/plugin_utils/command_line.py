# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Words of a command line from a dictionary of flags, and the same words as a unit file has them."""

from __future__ import annotations

import json
import re
import typing as t

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*")
PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./-]+")
ESCAPES = {"\\": "\\\\", '"': '\\"', "%": "%%", "$": "$$", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
# Their value would stand in every process list.
SECRET = ("api-key", "hf-token")


def words(flags: t.Mapping[str, t.Any], reserved: t.Mapping[str, str]) -> list[str]:
    """true is a flag without a value, false and null are no flag, a list is several words after it, what is in braces
    is JSON. `reserved` names the variable of each flag that is not given here, or none. ValueError with a sentence.
    """
    found = []
    for given, value in flags.items():
        name = flag_name(str(given))
        if name in SECRET:
            raise ValueError(
                f"--{name} would show a secret in every process list: leave it out, the key comes from a file."
            )
        if name in reserved:
            raise ValueError(
                f"--{name} has a variable of its own: set {reserved[name]}."
                if reserved[name]
                else f"--{name} is what the other parts need it to be: leave it out."
            )
        if value is None or value is False or value == []:
            continue
        if value is True:
            found.append(f"--{name}")
        elif isinstance(value, (list, tuple)):
            found += [f"--{name}", *map(text, value)]
        else:
            found.append(f"--{name}={text(value)}")
    return found


def flag_name(given: str) -> str:
    """As the engine's help has it: with dashes, without those before it."""
    name = given.removeprefix("--").replace("_", "-")
    if not NAME.fullmatch(name):
        raise ValueError(f"{given!r} is not the name of a flag: write it as in max-num-batched-tokens.")
    return name


def text(value: t.Any) -> str:
    """One word of the command line; ValueError for what no process can be given."""
    if isinstance(value, (dict, list, tuple)):
        value = json.dumps(value, separators=(",", ":"))
    elif isinstance(value, bool):
        value = "true" if value else "false"
    if "\0" in str(value):
        raise ValueError("a NUL character cannot be given to a program: remove it.")
    return str(value)


def require_no_secret(options: t.Iterable[str]) -> None:
    """Of words that are taken as they are."""
    for option in options:
        for name in SECRET:
            if re.search(rf"(^|\s)--{name}\b", str(option).replace("_", "-")):
                raise ValueError(
                    f"--{name} would show a secret in every process list: leave it out, the key comes from a file."
                )


def quoted(word: str) -> str:
    """What systemd's ExecStart= reads back as this one word: no specifier, no variable, no escape is left in it."""
    if PLAIN.fullmatch(word):
        return word
    return '"' + "".join(ESCAPES.get(letter, letter) for letter in word) + '"'
