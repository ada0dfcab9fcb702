# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ssh keys of people, for the account.

A pair is made here and not by the API, so that its private half never travels.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile

from . import errors

PUBLIC = re.compile(r"(ssh|ecdsa|sk)-[a-zA-Z0-9@.-]+ [A-Za-z0-9+/]+=*( [^\n]*)?")


def content(public_key: str) -> list[str]:
    """Type and key, without the comment, which is for people."""
    return public_key.split()[:2]


def checked(text: str, where: str) -> str:
    """The public key, if it is one. Raises CloudError without its text, which may be a private one."""
    if not PUBLIC.fullmatch(text.strip()):
        raise errors.CloudError(
            f"{where} does not hold one public key as OpenSSH writes it (ssh-ed25519 AAAA... comment): "
            "give the content of a .pub file."
        )
    return text.strip()


def read_public(path: str) -> str:
    """From a .pub file."""
    try:
        with open(path, encoding="utf-8") as stream:
            return checked(stream.read(), f"The file {path}")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.CloudError(
            f"The public key in {path} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}."
        ) from error


def public_of(path: str) -> str:
    """The public half of a private key file."""
    done = keygen(["-y", "-P", "", "-f", path])
    if done.returncode:
        raise errors.CloudError(
            f"The private key {path} cannot be used: ssh-keygen says '{_last(done.stderr)}'. "
            "It must be a key without a passphrase that only you can read; "
            "for any other give its public half as public_key_file."
        )
    return done.stdout.strip()


def check_folder(path: str) -> str:
    """The folder in which a key can be made."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise errors.CloudError(
            f"The private key {path} cannot be written: there is no folder {folder}. Make it first; "
            "nothing was changed."
        )
    return folder


def generate(path: str, comment: str) -> None:
    """A new ed25519 key at `path`, readable by its owner only. A file that is there is never touched."""
    folder = check_folder(path)
    try:
        with tempfile.TemporaryDirectory(prefix=".key-", dir=folder) as private:
            made = os.path.join(private, "key")
            done = keygen(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", made])
            if done.returncode:
                raise errors.CloudError(f"No ssh key could be made for {path}: ssh-keygen says '{_last(done.stderr)}'.")
            os.chmod(made, 0o600)
            # Unlike a rename, a link does not replace what came there meanwhile.
            os.link(made, path)
    except OSError as error:
        raise errors.CloudError(f"The private key {path} cannot be written: {error.strerror}.") from error


def keygen(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """The one way to ssh-keygen, whatever comes back. CloudError where it cannot be run."""
    try:
        return subprocess.run(
            ["ssh-keygen", *arguments],
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise errors.CloudError("There is no ssh-keygen on the control node: install the OpenSSH client.") from error
    except OSError as error:
        raise errors.CloudError(f"ssh-keygen cannot be run on the control node: {error.strerror}.") from error


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["nothing"])[-1]
