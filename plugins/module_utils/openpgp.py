# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""OpenPGP public keys: out of their armour, and their fingerprints (RFC 9580, versions 4 and 6).

Checks no signatures.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import typing as t

PUBLIC_KEY = 6
ARMOUR = re.compile(
    r"-----BEGIN PGP PUBLIC KEY BLOCK-----[ \t]*\r?\n(?:[^\r\n]+:[^\r\n]*\r?\n)*[ \t]*\r?\n(?P<data>[A-Za-z0-9+/=\s]+?)"
    r"(?:\r?\n=[A-Za-z0-9+/]{4})?\s*-----END PGP PUBLIC KEY BLOCK-----"
)


def dearmour(text: str) -> bytes:
    """The packets of an armoured key. Raises ValueError unless the text has exactly one such block."""
    blocks = ARMOUR.findall(text)
    if len(blocks) != 1:
        raise ValueError(f"it has {len(blocks)} armoured public keys instead of one")
    try:
        return base64.b64decode("".join(blocks[0].split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"its armour is damaged: {error}") from error


def fingerprints(packets: bytes) -> list[str]:
    """Fingerprints of all primary keys, upper case. Raises ValueError for what is no sequence of whole packets."""
    return [_fingerprint(body) for tag, body in _packets(packets) if tag == PUBLIC_KEY]


def _fingerprint(body: bytes) -> str:
    version = body[0] if body else 0
    if version == 4:
        state = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False)
    elif version == 6:
        state = hashlib.sha256(b"\x9b" + len(body).to_bytes(4, "big") + body)
    else:
        raise ValueError(f"it has a key of version {version}, and only 4 and 6 are known")
    return state.hexdigest().upper()


def _packets(data: bytes) -> t.Iterator[tuple[int, bytes]]:
    """Tag and body of each packet, in the old and the new form. Keys have no packets of unknown length."""
    at = 0
    while at < len(data):
        first, at = data[at], at + 1
        if not first & 0x80:
            raise ValueError("it is no OpenPGP key")
        if first & 0x40:
            tag, (length, at) = first & 0x3F, _new_length(data, at)
        else:
            tag, octets = first >> 2 & 0x0F, 1 << (first & 3)
            if octets == 8:
                raise ValueError("it has a packet of unknown length")
            length, at = int.from_bytes(data[at : at + octets], "big"), at + octets
        if at + length > len(data):
            raise ValueError("its end is missing")
        yield tag, data[at : at + length]
        at += length


def _new_length(data: bytes, at: int) -> tuple[int, int]:
    first = data[at] if at < len(data) else 0
    if first < 192:
        return first, at + 1
    if first < 224:
        return (first - 192 << 8) + int.from_bytes(data[at + 1 : at + 2], "big") + 192, at + 2
    if first < 255:
        raise ValueError("it has a packet of unknown length")
    return int.from_bytes(data[at + 1 : at + 5], "big"), at + 5


def armour(packets: bytes) -> str:
    """The text that `dearmour` reads back. Without the checksum of old, which nobody needs."""
    data = base64.b64encode(packets).decode()
    lines = "".join(f"{data[at : at + 64]}\n" for at in range(0, len(data), 64))
    return f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{lines}-----END PGP PUBLIC KEY BLOCK-----\n"
