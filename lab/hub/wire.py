# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes over the wire: each byte that is sent is counted, and faults come on demand.

`GET /lab/counts` is {path: {client address: bytes}}, of bodies, those of broken answers too; DELETE begins anew.
`PUT /lab/faults` takes a list of faults in the place of the former ones; see Fault.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any

Message = dict[str, Any]


@dataclasses.dataclass
class Fault:
    """For paths that match: answer `status`, or break off after `drop_after` bytes, or send `rate` bytes per second.

    `times`: requests that get it, None for all. An answer that was begun under faults that are replaced is broken off.
    """

    match: str
    status: int = 0
    retry_after: int | None = None
    drop_after: int | None = None
    rate: float | None = None
    times: int | None = None


class Gone(OSError):
    """The client has hung up, or is to think so."""


class Wire:
    """Around an application, as ASGI has it."""

    def __init__(self, app: Callable[..., Any]):
        self.app = app
        self.counts: dict[str, dict[str, int]] = {}
        self.faults: list[Fault] = []

    async def __call__(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["path"].startswith("/lab/"):
            await self.control(scope, receive, send)
        else:
            fault = self.fault(scope["method"], scope["path"])
            if fault and fault.status:
                after = [] if fault.retry_after is None else [(b"retry-after", b"%d" % fault.retry_after)]
                await answer(send, fault.status, {"error": "a fault on demand"}, after)
            else:
                await self.counted(scope, receive, send, fault)

    def fault(self, method: str, path: str) -> Fault | None:
        """The first that matches and is not used up. An answer without a body cannot be slow or cut."""
        for fault in self.faults:
            if re.search(fault.match, path) and fault.times != 0 and (fault.status or method == "GET"):
                if fault.times:
                    fault.times -= 1
                return fault
        return None

    async def counted(
        self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any], fault: Fault | None
    ) -> None:
        """Run the application, and count what it sends until the client hangs up."""
        client = scope["client"][0]
        counter = self.counts.setdefault(scope["path"], {})
        counter.setdefault(client, 0)
        gone = asyncio.create_task(hung_up(receive))
        sent = 0

        async def counting(message: Message) -> None:
            nonlocal sent
            body = message.get("body", b"")
            if gone.done() or (fault and all(fault is not one for one in self.faults)):
                raise Gone
            if fault and fault.drop_after is not None and sent + len(body) > fault.drop_after:
                body = body[: fault.drop_after - sent]
                await send(message | {"body": body, "more_body": True})
                counter[client] += len(body)
                raise Gone
            await send(message)
            sent += len(body)
            counter[client] += len(body)
            if fault and fault.rate and body:
                await asyncio.sleep(len(body) / fault.rate)

        try:
            await self.app(scope, receive, counting)
        except OSError:
            # An answer that is not finished makes the server close the connection.
            return
        finally:
            gone.cancel()

    async def control(self, scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Counts and faults."""
        asked = (scope["method"], scope["path"])
        if asked == ("GET", "/lab/counts"):
            await answer(send, 200, self.counts)
        elif asked == ("DELETE", "/lab/counts"):
            self.counts = {}
            await answer(send, 200, {})
        elif asked == ("PUT", "/lab/faults"):
            try:
                self.faults = [Fault(**one) for one in json.loads(await body_of(receive))]
            except (ValueError, TypeError) as error:
                await answer(send, 400, {"error": str(error)})
            else:
                await answer(send, 200, {})
        else:
            await answer(send, 404, {"error": "not found"})


async def hung_up(receive: Callable[..., Any]) -> None:
    """Returns when the client closes the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def body_of(receive: Callable[..., Any]) -> bytes:
    """The whole body of a request."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def answer(
    send: Callable[..., Any], status: int, content: Any, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    """JSON."""
    body = json.dumps(content).encode()
    length = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": length + (headers or [])})
    await send({"type": "http.response.body", "body": body})
