# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What systemd_job and systemd_unit share: environment files, unit properties, exact writes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import typing as t

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ENTRY = re.compile(
    r'^(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?:"(?:[^"\\]|\\.)*"$|[^\n]*)|[^\n]+)', re.MULTILINE | re.DOTALL
)


def environment_file(variables: dict[str, t.Any]) -> str:
    """Text for EnvironmentFile=, each value quoted so that systemd reads back the same string.

    Raises ValueError for a name that no environment can have, or a value with a NUL.
    """
    lines = []
    for name in sorted(variables):
        value = _text(variables[name])
        if not NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is not a name for an environment variable: use letters, digits and underscores."
            )
        if "\0" in value:
            raise ValueError(f"The value of {name} has a NUL character, which no environment can hold.")
        quoted = re.sub(r'(["\\$`])', r"\\\1", value)
        lines.append(f'{name}="{quoted}"\n')
    return "".join(lines)


def redacted(text: str, public: set[str], salt: str) -> str:
    """An environment file for people: of what is not public, only whether it is another value."""
    lines = []
    for found in ENTRY.finditer(text):
        name = found["name"] or "line"
        secret = hashlib.sha256((salt + found[0]).encode()).hexdigest()[:6]
        lines.append(f"{found[0]}\n" if name in public else f"{name}=(secret {secret})\n")
    return "".join(lines)


def interface(run_command: t.Callable, address: str) -> str:
    """Name of the interface that has the address; ValueError where it is not this node's."""
    dummy, out, err = run_command(["ip", "-json", "address", "show", "to", address])
    names = [link["ifname"] for link in json.loads(out or "[]") if "ifname" in link]
    if not names:
        raise ValueError(
            f"no interface of this node has the address {address} ({err.strip() or 'as `ip address` shows'}). "
            "Correct the address in the inventory."
        )
    return names[0]


def _text(value: t.Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def show(run_command: t.Callable, unit: str, *names: str) -> dict[str, str]:
    """Properties of a unit; a unit that does not exist has LoadState not-found."""
    dummy, out, dummy2 = run_command(["systemctl", "show", unit, "--property", ",".join(names)], check_rc=True)
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


def read(path: str) -> str | None:
    """Text of a file, None where there is none."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None


def write(path: str, text: str, mode: int) -> None:
    """Replace a file in one step; at no moment is it half written or readable by more than `mode` says."""
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def last_lines(path: str, count: int) -> list[str]:
    """The last lines of a file, [] where there is none."""
    try:
        with open(path, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 65536))
            return stream.read().decode("utf-8", "replace").rstrip("\n").split("\n")[-count:]
    except OSError:
        return []
