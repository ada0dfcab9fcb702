# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How Ansible reaches hosts, as a configuration for people's own ssh. Pure."""

from __future__ import annotations

import re
import shlex
import typing as t

HEAD = "# Written by gh200.inference; your changes are lost at the next run. Use it by: ssh -F THIS_FILE NAME\n"
# What Ansible's ssh would read too. The first value that is found counts, so this comes last.
TAIL = "\nMatch all\n  Include ~/.ssh/config\n"
VARIABLES = {
    "HostName": ("ansible_host", "ansible_ssh_host"),
    "User": ("ansible_user", "ansible_ssh_user"),
    "Port": ("ansible_port", "ansible_ssh_port"),
    "IdentityFile": ("ansible_ssh_private_key_file", "ansible_private_key_file"),
}
ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args")
# Options of ssh's command line, and what they are called in a file.
SHORT = {"J": "ProxyJump", "i": "IdentityFile", "l": "User", "p": "Port"}
FLAGS = {
    "4": "AddressFamily inet",
    "6": "AddressFamily inet6",
    "A": "ForwardAgent yes",
    "C": "Compression yes",
    "q": "LogLevel QUIET",
}


def text(hosts: dict[str, t.Mapping[str, t.Any]]) -> str:
    """The file for these hosts, name to variables. Raises ValueError for what cannot be told to ssh by a file."""
    return HEAD + "".join(f"\n{block(name, hosts[name])}" for name in sorted(hosts)) + TAIL


def block(name: str, variables: t.Mapping[str, t.Any]) -> str:
    """What is for one host."""
    if not re.fullmatch(r"[\w.:-]+", name):
        raise ValueError(f"the host name {name!r} has characters that ssh takes for a pattern; rename the host")
    lines = arguments(name, " ".join(str(variables[known]) for known in ARGUMENTS if variables.get(known)))
    for keyword, names in VARIABLES.items():
        value = next((variables[known] for known in names if variables.get(known) not in (None, "")), None)
        if value is not None:
            lines.append(f"{keyword} {quoted(str(value))}")
    return "\n  ".join([f"Host {name}", *lines]) + "\n"


def arguments(name: str, words: str) -> list[str]:
    """Lines for what stands on ssh's command line."""
    lines = []
    rest = iter(shlex.split(words))
    for word in rest:
        letter, value = word[1:2], word[2:]
        if word[:1] == "-" and letter in FLAGS and not value:
            lines.append(FLAGS[letter])
        elif word[:1] == "-" and letter in {"o", *SHORT}:
            value = value or next(rest, "")
            if letter != "o":
                lines.append(f"{SHORT[letter]} {quoted(value)}")
            else:
                keyword, dummy, setting = re.sub(r"\s*=\s*|\s+", "=", value.strip(), count=1).partition("=")
                lines.append(f"{keyword} {setting}")
        else:
            raise ValueError(
                f"{word} in {' or '.join(ARGUMENTS)} of {name} has no place in a configuration: "
                "write it as -o NAME=VALUE"
            )
    return lines


def quoted(value: str) -> str:
    """As ssh reads it back from a file."""
    return f'"{value}"' if re.search(r"\s", value) else value
