# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Key and address of an account, checked where they are read.

No error here has anything of the key, or of a password in an address.
"""

from __future__ import annotations

import os
import re
import urllib.parse

from . import errors

WAYS = "Export LAMBDA_API_KEY, or set api_key, or name a file with it in api_key_file."
LONGEST_KEY = 512


def api_key(text: str, where: str = "api_key") -> str:
    """The key without the white space around it.

    CloudError for what cannot be sent as one: a second line, blanks, what is not printable ASCII.
    """
    key = text.strip()
    if not key:
        raise errors.CloudError(f"{where} should hold the Lambda API key and is empty. {WAYS}")
    if not re.fullmatch(r"[\x21-\x7e]+", key) or len(key) > LONGEST_KEY:
        raise errors.CloudError(
            f"{where} does not hold a Lambda API key: {_fault(key)}. "
            "A key is one line of printable ASCII without blanks."
        )
    return key


def read_api_key(path: str) -> str:
    """From a file."""
    path = os.path.expanduser(path)
    if os.sep not in path and path.startswith("secret_") and not os.path.exists(path):
        raise errors.CloudError(
            f"api_key_file looks like a key, and should be the path of a file that holds it. {WAYS}"
        )
    try:
        with open(path, "rb") as stream:
            content = stream.read(LONGEST_KEY * 8)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "this is no path"
        raise errors.CloudError(f"The file {path} with the Lambda API key cannot be read: {reason}. {WAYS}") from None
    # What is not UTF-8 becomes a character that no key has. A mark of the byte order is told apart from other
    # characters.
    return api_key(content.decode("utf-8", errors="replace"), f"The file {path}")


def api_url(text: str) -> str:
    """The address without a slash at its end.

    CloudError for one that is none, or that has in it what others must not see.
    """
    try:
        parts = urllib.parse.urlsplit(text.strip())
        port = parts.port  # a ValueError where it is no number
    except ValueError:
        raise errors.CloudError("api_url is no address: give one as https://cloud.lambda.ai/api/v1.") from None
    if "@" in text or parts.query or parts.fragment:
        raise errors.CloudError(
            "api_url has a user, a password, a query or a fragment in it: give the address alone, "
            "as https://cloud.lambda.ai/api/v1; the key goes into api_key."
        )
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or port == 0
        or re.search(r"[^\x21-\x7e]", text.strip())
    ):
        raise errors.CloudError(
            f"api_url is {text!r}; it must begin with https:// (or http:// for a service on your own machine) "
            "and name a host."
        )
    return text.strip().rstrip("/")


def _fault(key: str) -> str:
    """What is wrong with it, in words that give nothing away."""
    if key.startswith("\ufeff"):
        return "it begins with a byte order mark"
    if "\n" in key or "\r" in key:
        return "it has more than one line"
    if len(key) > LONGEST_KEY:
        return f"it is longer than {LONGEST_KEY} characters"
    if re.search(r"[^\x20-\x7e]", key):
        return "it has characters that are not printable ASCII"
    return "it has blanks in it"
