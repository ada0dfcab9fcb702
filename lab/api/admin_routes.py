# SPDX-License-Identifier: GPL-3.0-or-later
"""The admin API under /admin: no key, since only this machine reaches it. JSON in and out; a mistake is a 400 with
{"error": sentence}.

GET, POST, DELETE /admin/faults: all that are set; set a fault, {"on": "POST /instance-operations/launch", "do": "drop",
"when": "after"},
    or a fate of coming launches, {"fate": "stuck", "skip": 1}; clear all.
POST /admin/instances/{id}: {"fate": "vanish", "after": 60}, {"fate": "none"} or {"status": "preempted"}, now.
POST /admin/account: {"prices": {"gpu_1x_gh200": 299}, "capacity": {"gpu_1x_gh200": {"us-east-3": 3}}, "quota": 5,
"inactive": true, ...}.
POST /admin/script: [{"at": 60, "fault": {...}}, {"at": 90, "fate": {"kind": ...}}, {"at": 99, "instance": {"id": ...,
"fate": ...}},
    {"at": 120, "account": {...}}, {"at": 150, "clear": true}], in simulated seconds from now.
POST /admin/clock: {"advance": seconds}. GET /admin/bill, GET /admin/calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.routing import Route

from .admin import Admin
from .wire import Wire


def routes(admin: Admin, wire: Wire) -> list[Route]:
    """For the app."""

    def calls(_body: Any, _id: str) -> list[dict]:
        return [
            {
                "method": call.method,
                "path": call.path,
                "status": call.status,
                "at": call.at,
                "user_agent": call.user_agent,
            }
            for call in wire.calls
        ]

    table = [
        ("GET", "/faults", lambda body, _id: admin.faults()),
        (
            "POST",
            "/faults",
            lambda body, _id: admin.fate({"kind": body.pop("fate"), **body}) if "fate" in body else admin.fault(body),
        ),
        ("DELETE", "/faults", lambda body, _id: admin.clear()),
        ("POST", "/instances/{id}", lambda body, instance_id: admin.instance({**body, "id": instance_id})),
        ("POST", "/account", lambda body, _id: admin.account(body)),
        ("GET", "/bill", lambda body, _id: admin.bill()),
        ("GET", "/calls", calls),
        ("POST", "/script", lambda body, _id: admin.script(body)),
        ("POST", "/clock", lambda body, _id: admin.advance(float(body["advance"]))),
    ]
    return [Route(f"/admin{path}", endpoint(function), methods=[method]) for method, path, function in table]


def endpoint(function: Callable) -> Callable:
    """JSON in and out; a mistake is a 400 with a sentence."""

    async def answer(request: Request) -> JSONResponse:
        try:
            body = await request.json() if await request.body() else {}
            return JSONResponse(await run_in_threadpool(function, body, request.path_params.get("id", "")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return JSONResponse({"error": str(error.args[0] if error.args else error)}, 400)

    return answer
