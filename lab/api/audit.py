# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done in the account, and by which key."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime

from .clock import stamp
from .errors import ApiError
from .store import Store, new_id

caller: ContextVar[str] = ContextVar("caller", default="")
# The documented format "date-time": a day, a time, an offset; Python alone would take a week of a year, too.
TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
ACCOUNT = "lrn:cloud:account:" + "0" * 32


def digest(key: str) -> str:
    """An id for a key, from which the key cannot be told."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def note(store: Store, moment: float, resource: str, action: str, ids: list[str], **details: str) -> None:
    """Write an event down. `resource` is as "ssh_key", `action` as "created"."""
    key = f"lrn:cloud:api_key:{digest(caller.get())}" if caller.get() else None
    store.events.append(
        {
            "service_name": "cloud",
            "resource_name": resource,
            "action": action,
            "catalog_version": "2025-09-06",
            "event_id": new_id(),
            "event_time": stamp(moment),
            "actor_lrn": "lrn:cloud:identity:" + "0" * 32,
            "resource_lrns": [f"lrn:cloud:{resource}:{item}" for item in ids],
            "resource_owner_lrn": ACCOUNT,
            "request_api_key_lrn": key,
            "additional_details": details,
        }
    )


def page(store: Store, query: Mapping[str, str], size: int) -> dict:
    """The whole answer: events, oldest first, and the token of the next page or null."""
    start, end = _moment(query, "start"), _moment(query, "end")
    found = [
        event
        for event in store.events
        if (not start or datetime.fromisoformat(event["event_time"]) >= start)
        and (not end or datetime.fromisoformat(event["event_time"]) <= end)
        and query.get("resource_type") in (None, "", f"{event['service_name']}.{event['resource_name']}")
    ]
    first = _position(query.get("page_token"))
    more = first + size < len(found)
    return {
        "data": found[first : first + size],
        "page_token": base64.urlsafe_b64encode(f"from {first + size}".encode()).decode() if more else None,
    }


def _position(token: str | None) -> int:
    if not token:
        return 0
    try:
        word, number = base64.urlsafe_b64decode(token).decode().split()
        if word != "from":
            raise ValueError(word)
        return int(number)
    except ValueError as error:
        raise ApiError("global/invalid-parameters", "page_token is not one of ours.") from error


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    if name not in query:
        return None
    # An offset's plus sign is a space in a query that was not encoded.
    text = query[name].replace(" ", "+")
    try:
        if not TIME.fullmatch(text):
            raise ValueError(text)
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ApiError("global/invalid-parameters", f"{name} is not an ISO 8601 time with an offset.") from error
