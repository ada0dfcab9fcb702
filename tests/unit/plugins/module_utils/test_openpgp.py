# SPDX-License-Identifier: GPL-3.0-or-later
"""Fingerprints, as gpg 2.2 showed them for keys that it made, and what is no key."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import openpgp

KEYS = Path(__file__).parents[1] / "keys"
ONE, TWO, RSA = ((KEYS / f"{name}.asc").read_text(encoding="utf-8") for name in ("one", "two", "rsa"))
ONE_FINGERPRINT = "1D2C3F69A2345174D7352D1A3D8FDF7B194A675A"
TWO_FINGERPRINT = "AE6E499794971871450E041D47EF8D766F8EFAED"
RSA_FINGERPRINT = "89798AF6932CAB246DB5FB9C03032D814B3C5D52"


@pytest.mark.parametrize(
    ("key", "fingerprint"), [(ONE, ONE_FINGERPRINT), (TWO, TWO_FINGERPRINT), (RSA, RSA_FINGERPRINT)]
)
def test_the_fingerprint_is_the_one_that_gpg_shows(key, fingerprint):
    assert openpgp.fingerprints(openpgp.dearmour(key)) == [fingerprint]


def test_armour_may_have_headers_and_the_line_ends_of_other_systems():
    text = ONE.replace("BLOCK-----\n\n", "BLOCK-----\nVersion: x\nComment: y\n\n", 1).replace("\n", "\r\n")
    assert openpgp.dearmour(f"before\n{text}after") == openpgp.dearmour(ONE)


def test_our_own_armour_is_read_back_the_same():
    packets = openpgp.dearmour(RSA)
    assert openpgp.dearmour(openpgp.armour(packets)) == packets
    assert max(map(len, openpgp.armour(packets).splitlines())) == 64


def test_a_second_key_in_the_same_block_is_seen():
    both = openpgp.dearmour(ONE) + openpgp.dearmour(TWO)
    assert openpgp.fingerprints(openpgp.dearmour(openpgp.armour(both))) == [ONE_FINGERPRINT, TWO_FINGERPRINT]


@pytest.mark.parametrize(
    "text",
    ["", "<html>not found</html>", ONE + TWO, ONE.replace("PUBLIC", "PRIVATE"), ONE.split("-----END", maxsplit=1)[0]],
)
def test_what_is_not_one_armoured_key_is_refused(text):
    with pytest.raises(ValueError, match="armoured public keys instead of one"):
        openpgp.dearmour(text)


def test_damaged_armour_is_refused():
    with pytest.raises(ValueError, match="damaged"):
        openpgp.dearmour(ONE.replace("Pln6", "Pl=n"))


def test_a_key_that_was_cut_off_is_refused():
    packets = openpgp.dearmour(ONE)
    for length in range(1, len(packets)):
        try:
            found = openpgp.fingerprints(packets[:length])
        except ValueError:
            continue
        assert found == [ONE_FINGERPRINT]  # cut between two packets


@pytest.mark.parametrize(
    ("packets", "why"),
    [
        (b"plain text", "no OpenPGP key"),
        (b"\x9b\x04", "unknown length"),
        (b"\xc6\xe5\x04", "unknown length"),
        (b"\x98\x01\x03", "version 3"),
        (b"\x98\x00", "version 0"),
        (b"\xc6", "end is missing"),
        (b"\xc6\xff\x00\x00\x01\x00\x04", "end is missing"),
    ],
)
def test_other_bytes_are_refused(packets, why):
    with pytest.raises(ValueError, match=why):
        openpgp.fingerprints(packets)


@pytest.mark.parametrize("length", [100, 191, 192, 8383, 8384, 60000])
def test_all_forms_of_length_give_the_same_fingerprint(length):
    body = b"\x04" + bytes(length - 1)
    two, four = length.to_bytes(2, "big"), length.to_bytes(4, "big")
    wanted = hashlib.sha1(b"\x99" + two + body).hexdigest().upper()
    forms = [b"\x99" + two, b"\x9a" + four, b"\xc6\xff" + four]
    if length < 192:
        forms += [b"\xc6" + bytes([length]), b"\x98" + bytes([length])]
    elif length < 8384:
        forms.append(b"\xc6" + bytes([(length - 192 >> 8) + 192, length - 192 & 255]))
    for form in forms:
        assert openpgp.fingerprints(form + body) == [wanted], form


def test_a_key_of_version_6_has_a_longer_fingerprint():
    body = b"\x06" + bytes(40)
    assert openpgp.fingerprints(b"\xc6" + bytes([41]) + body) == [
        hashlib.sha256(b"\x9b\0\0\0\x29" + body).hexdigest().upper()
    ]
