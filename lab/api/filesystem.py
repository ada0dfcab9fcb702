# SPDX-License-Identifier: GPL-3.0-or-later
"""A filesystem: the object that the API shows, and its bill."""

from __future__ import annotations

from . import catalogue
from .bills import FilesystemBill
from .clock import stamp
from .store import Object, new_id


def new(name: str, place: str, moment: float) -> Object:
    """An empty one in a region."""
    return {
        "id": new_id(),
        "name": name,
        "mount_point": f"/lambda/nfs/{name}",
        "created": stamp(moment),
        "created_by": {"id": "0" * 32, "email": "user@example.com", "status": "active"},
        "is_in_use": False,
        "region": catalogue.region(place),
        "bytes_used": 0,
    }


def new_bill(item: Object, moment: float) -> FilesystemBill:
    """It is paid for by what is in it."""
    return FilesystemBill(
        name=item["name"], region=item["region"]["name"], start=moment, bytes_used=item["bytes_used"], since=moment
    )
