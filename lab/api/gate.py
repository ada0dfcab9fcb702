# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may pass: the edge in front of the API, the key, the account, the pace."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from .config import ApiConfig
from .errors import ApiError
from .pacing import Pacing, TooFast

HOME = "https://cloud.lambda.ai"


@dataclass
class Answer:
    """What goes over the wire."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def envelope(error: ApiError) -> Answer:
    """An error of the API itself."""
    return Answer(error.status, json.dumps(error.body()).encode(), {"content-type": "application/json"})


def text(status: int, content: str, **headers: str) -> Answer:
    """An answer of something in front of the API."""
    return Answer(
        status,
        content.encode(),
        {"content-type": "text/plain; charset=UTF-8"}
        | {name.replace("_", "-"): value for name, value in headers.items()},
    )


def edge() -> Answer:
    """The network edge does not like the caller."""
    return text(403, "error code: 1010")


def redirect(path: str) -> Answer:
    """To another host, where a client should not carry its key."""
    return text(301, "", location=HOME + path)


def too_fast(shape: str) -> Answer:
    """429 is in no document; these were seen."""
    if shape == "json":
        return envelope(ApiError("global/rate-limited", "Too many requests.", 429))
    return text(429, "error code: 1015", **({"retry_after": "12"} if shape == "retry-after" else {}))


def key_of(authorization: str) -> str:
    """The key in a header: Bearer KEY, Basic KEY, or Basic and base64 of KEY: as the user. Empty if there is none."""
    kind, _, value = authorization.strip().partition(" ")
    value = value.strip()
    if kind.lower() == "basic":
        try:
            decoded = base64.b64decode(value, validate=True).decode()
        except ValueError:
            return value.removesuffix(":")
        return decoded.partition(":")[0] if ":" in decoded else value
    return value if kind.lower() == "bearer" else ""


class Gate:
    """Looks at every call in the order in which the real one seems to."""

    def __init__(self, config: ApiConfig, pacing: Pacing):
        self.config = config
        self.pacing = pacing

    def refusal(self, method: str, path: str, headers: Mapping[str, str]) -> Answer | None:
        """Why a call does not pass; None if it does, which the pace counts."""
        if self.config.block_urllib and headers.get("user-agent", "").lower().startswith("python-urllib"):
            return edge()
        if headers.get("host", "").partition(":")[0] in self.config.deprecated_hosts:
            return redirect(path)
        key = key_of(headers.get("authorization", ""))
        if not key:
            return envelope(ApiError("global/invalid-api-key", "No API key was provided."))
        if key not in self.config.api_keys:
            return envelope(ApiError("global/invalid-api-key"))
        try:
            self.pacing.admit(key, launch=method == "POST" and path.endswith("/instance-operations/launch"))
        except TooFast:
            return too_fast(self.config.rate_shape)
        return envelope(ApiError("global/account-inactive")) if self.config.inactive else None
