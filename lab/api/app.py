# SPDX-License-Identifier: GPL-3.0-or-later
"""The service for one account: the API and what a test may do to it."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from . import admin_routes, routes
from .admin import Admin
from .cloud import Cloud
from .config import ApiConfig
from .drivers import Driver
from .errors import ApiError
from .gate import Gate
from .wire import Wire


class Api(FastAPI):
    """Behind its wire, which stands outside of all middleware: it can break a connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.state.wire(scope, receive, send)


def create_app(config: ApiConfig, driver: Driver, now: Callable[[], float] = time.time) -> FastAPI:
    """`now` gives seconds, and all time is taken from it.

    `app.state` has `cloud`, `faults`, `calls` (every API call in its order), `pacing` (with its `refusals`) and
    `admin`.
    """
    app = Api(title="lab cloud", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    state = app.state
    state.cloud = cloud = Cloud(config, driver, now)
    state.faults = cloud.faults
    state.pacing = cloud.pacing
    state.admin = admin = Admin(cloud)

    async def prelude() -> None:
        if admin.is_due():
            await run_in_threadpool(admin.run_due)

    state.wire = Wire(super(Api, app).__call__, Gate(config, state.pacing), cloud.faults, cloud.clock.now, prelude)
    state.calls = state.wire.calls
    app.router.routes.extend(routes.routes(cloud) + admin_routes.routes(admin, state.wire))

    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body(), error.status)

    @app.exception_handler(ValidationError)
    async def invalid(request: Request, error: ValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return JSONResponse(
            ApiError("global/invalid-parameters", f"{where}: {first['msg']}" if where else first["msg"]).body(), 400
        )

    @app.exception_handler(HTTPException)
    async def unknown_path(request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse(ApiError("global/not-found").body(), error.status_code, error.headers)

    return app
