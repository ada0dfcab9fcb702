# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths, keys and envelopes."""

from __future__ import annotations

import base64
import json
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from . import catalogue, requests
from .account import Account
from .cloud import Cloud
from .config import ApiConfig
from .errors import ApiError
from .pacing import Pacing, TooFast


async def body(request: Request) -> dict:
    """JSON whatever the Content-Type says: some clients send none."""
    try:
        content = json.loads(await request.body() or b"{}")
    except ValueError as error:
        raise ApiError("global/invalid-parameters", "The body is not JSON.") from error
    if not isinstance(content, dict):
        raise ApiError("global/invalid-parameters", "The body is not an object.")
    return content


Body = Annotated[dict, Depends(body)]


def create_app(config: ApiConfig, driver) -> FastAPI:
    """The service for one account."""
    app = FastAPI(title="lab cloud", docs_url=None, redoc_url=None, openapi_url=None)
    pacing = Pacing(config.request_interval, config.launch_interval)
    app.state.cloud = cloud = Cloud(config, driver)
    account = Account(cloud)

    def known_key(request: Request) -> None:
        header = request.headers.get("Authorization", "")
        kind, _, value = header.partition(" ")
        if not value:
            raise ApiError("global/invalid-api-key", "No API key was provided.")
        if kind.lower() == "basic" and value not in config.api_keys:
            try:
                value = base64.b64decode(value).decode().partition(":")[0]
            except ValueError:
                value = ""
        if value not in config.api_keys:
            raise ApiError("global/invalid-api-key")
        pacing.admit(value, launch=request.method == "POST" and request.url.path.endswith("/instance-operations/launch"))

    router = APIRouter(prefix="/api/v1", dependencies=[Depends(known_key)])

    @router.get("/instances")
    def list_instances():
        return {"data": cloud.instances()}

    @router.get("/instances/{instance_id}")
    def get_instance(instance_id: str):
        return {"data": cloud.instance(instance_id)}

    @router.post("/instances/{instance_id}")
    def rename(instance_id: str, content: Body):
        return {"data": cloud.rename(instance_id, requests.Rename(**content).name)}

    @router.post("/instance-operations/launch")
    def launch(content: Body):
        return {"data": {"instance_ids": cloud.launch(requests.Launch(**content))}}

    @router.post("/instance-operations/terminate")
    def terminate(content: Body):
        return {"data": {"terminated_instances": cloud.terminate(requests.InstanceIds(**content).instance_ids)}}

    @router.post("/instance-operations/restart")
    def restart(content: Body):
        return {"data": {"restarted_instances": cloud.restart(requests.InstanceIds(**content).instance_ids)}}

    @router.get("/instance-types")
    def types():
        return {"data": cloud.types()}

    @router.get("/regions")
    def regions():
        return {"data": [catalogue.region(name) for name in catalogue.REGIONS]}

    @router.get("/images")
    def images():
        return {"data": catalogue.images()}

    @router.get("/ssh-keys")
    def ssh_keys():
        return {"data": account.ssh_keys()}

    @router.post("/ssh-keys")
    def add_ssh_key(content: Body):
        return {"data": account.add_ssh_key(requests.SshKey(**content))}

    @router.delete("/ssh-keys/{key_id}")
    def delete_ssh_key(key_id: str):
        return {"data": account.delete_ssh_key(key_id)}

    @router.get("/file-systems")
    def filesystems():
        return {"data": cloud.filesystems()}

    @router.post("/filesystems")
    def add_filesystem(content: Body):
        return {"data": account.add_filesystem(requests.Filesystem(**content))}

    @router.delete("/filesystems/{filesystem_id}")
    def delete_filesystem(filesystem_id: str):
        return {"data": account.delete_filesystem(filesystem_id)}

    app.include_router(router)

    @app.exception_handler(ApiError)
    async def refused(request: Request, error: ApiError):
        return JSONResponse(error.body(), error.status)

    @app.exception_handler(ValidationError)
    async def invalid(request: Request, error: ValidationError):
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return JSONResponse(ApiError("global/invalid-parameters", f"{where}: {first['msg']}").body(), 400)

    @app.exception_handler(TooFast)
    async def too_fast(request: Request, error: TooFast):
        return PlainTextResponse("error code: 1015", 429)

    @app.exception_handler(HTTPException)
    async def unknown_path(request: Request, error: HTTPException):
        return JSONResponse(ApiError("global/not-found").body(), error.status_code)

    return app
