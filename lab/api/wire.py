# SPDX-License-Identifier: GPL-3.0-or-later
"""The outermost layer: every API call is noted, let pass or not, and goes wrong if a fault says so."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from . import gate
from .errors import CAPACITY, ApiError
from .faults import Fault, Faults
from .gate import Answer, Gate

PREFIX = "/api/v1"


@dataclass
class Call:
    """One that was made.

    `path` is without /api/v1, `at` in simulated seconds; `status` is 0 until, and unless, there is an answer.
    """

    method: str
    path: str
    body: dict
    at: float
    user_agent: str
    query: str = ""
    status: int = field(default=0)


class Wire:
    """ASGI around the app."""

    def __init__(self, inner: Callable, guard: Gate, faults: Faults, now: Callable[[], float], prelude: Callable):
        self.inner = inner
        self.guard = guard
        self.faults = faults
        self.now = now
        self.prelude = prelude  # awaited before each call: what a script has for this moment
        self.pause = asyncio.sleep
        self.calls: list[Call] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call, or hand on what is not the API."""
        if scope["type"] != "http" or not f"{scope['path']}/".startswith(f"{PREFIX}/"):
            await self.inner(scope, receive, send)
            return
        # With or without a slash at the end.
        path = scope["path"].rstrip("/")
        scope = dict(scope, path=path, raw_path=path.encode())
        headers, content = Headers(scope=scope), await read(receive)
        call = Call(
            scope["method"],
            path.removeprefix(PREFIX),
            parsed(content),
            self.now(),
            headers.get("user-agent", ""),
            scope["query_string"].decode(),
        )
        self.calls.append(call)
        await self.prelude()
        answer, fault = self.guard.refusal(call.method, path, headers), None
        if answer is None:
            fault = self.faults.take(call.method, call.path)
            answer = await self.carried_out(fault, scope, content)
        if answer is None:
            await cut(receive, send)
            return
        call.status = answer.status
        await deliver(answer, receive, send, half=fault is not None and fault.do == "half")

    async def carried_out(self, fault: Fault | None, scope: Scope, content: bytes) -> Answer | None:
        """The answer, after the app has acted or not; None if there is to be none."""
        if fault is None or fault.do in ("half", "lie", "lag"):
            return await self.act(dict(scope, fault=fault), content)
        if fault.do == "slow":
            if fault.when == "before":
                await self.pause(fault.seconds)
            answer = await self.act(scope, content)
            if fault.when == "after":
                await self.pause(fault.seconds)
            return answer
        if fault.when == "after":
            await self.act(scope, content)
        return replacement(fault, scope["path"])

    async def act(self, scope: Scope, content: bytes) -> Answer:
        """What the app answers, as a whole."""
        got: dict[str, Any] = {}
        body, given = bytearray(), False

        async def receive() -> Message:
            nonlocal given
            if given:
                await asyncio.Event().wait()
            given = True
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                got.update(message)
            else:
                body.extend(message.get("body", b""))

        try:
            await self.inner(scope, receive, send)
        except Exception:
            logging.getLogger(__name__).exception("%s %s went wrong in the simulator", scope["method"], scope["path"])
            return gate.envelope(ApiError("global/internal-error"))
        headers = {name.decode(): value.decode() for name, value in got["headers"] if name != b"content-length"}
        return Answer(got["status"], bytes(body), headers)


def replacement(fault: Fault, path: str) -> Answer | None:
    """What is answered instead; None for no answer at all."""
    if fault.do == "refuse":
        return gate.envelope(ApiError(fault.code or CAPACITY, status=fault.status or None))
    if fault.do == "error":
        if fault.code:
            return gate.envelope(ApiError(fault.code, status=fault.status or 500))
        return gate.text(fault.status or 502, "Bad gateway")
    answers = {
        "garbage": lambda: Answer(200, b"<html><body>One moment, please</body></html>", {"content-type": "text/html"}),
        "rate": lambda: gate.too_fast(fault.shape),
        "edge": gate.edge,
        "redirect": lambda: gate.redirect(path),
        "drop": lambda: None,
    }
    return answers[fault.do]()


async def read(receive: Receive) -> bytes:
    """The whole request."""
    content = bytearray()
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(content)


def parsed(content: bytes) -> dict:
    """A body for the notes."""
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def deliver(answer: Answer, receive: Receive, send: Send, half: bool) -> None:
    """Send it; with `half`, the connection breaks in the middle of the body."""
    body = answer.body
    headers = answer.headers | {"content-length": str(len(body))}
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    if not half:
        await send({"type": "http.response.body", "body": body})
        return
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    await cut(receive, send)


async def cut(receive: Receive, send: Send) -> None:
    """Reset the connection, and wait until the server knows. Without a connection it is a ConnectionResetError."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        raise ConnectionResetError("The simulator dropped the connection.")
    # Without lingering it is a reset, not an orderly end.
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    while (await receive())["type"] != "http.disconnect":
        pass
