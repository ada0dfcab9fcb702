# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of the API, and what each does."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.routing import Route

from . import audit, bodies, catalogue
from .cloud import Cloud
from .errors import ApiError
from .faults import Fault
from .gate import key_of
from .wire import PREFIX


@dataclass
class Ask:
    """A call that was let pass. `id` is of the path."""

    body: dict
    id: str
    query: Mapping[str, str]
    key: str
    fault: Fault | None


class Whole(dict):
    """An answer that is not only its `data`."""


Table = list[tuple[str, str, Callable[[Ask], object]]]


def table(cloud: Cloud) -> Table:
    """Method, path, and a function that gives the `data` of the answer."""
    return [*instances(cloud), *others(cloud), *firewall(cloud)]


def instances(cloud: Cloud) -> Table:
    """What instances are, and what is done with them. Unless the account may not read them."""

    def readable(function: Callable[[Ask], object]) -> Callable[[Ask], object]:
        def read(ask: Ask) -> object:
            if cloud.config.forbidden:
                raise ApiError("global/forbidden")
            return function(ask)

        return read

    vms, operations = cloud.vms, "/instance-operations"
    return [
        ("GET", "/instances", readable(lambda ask: [] if ask.query.get("cluster_id") else cloud.instances())),
        ("GET", "/instances/{id}", readable(lambda ask: vms.get(ask.id))),
        ("POST", "/instances/{id}", lambda ask: vms.change(ask.id, bodies.Rename(**ask.body))),
        ("POST", f"{operations}/launch", lambda ask: {"instance_ids": vms.create(bodies.Launch(**ask.body))}),
        (
            "POST",
            f"{operations}/terminate",
            lambda ask: {"terminated_instances": vms.delete(bodies.InstanceIds(**ask.body).instance_ids)},
        ),
        (
            "POST",
            f"{operations}/restart",
            lambda ask: {"restarted_instances": vms.restart(bodies.InstanceIds(**ask.body).instance_ids)},
        ),
        (
            "GET",
            "/instance-types",
            lambda ask: cloud.types(ask.fault.shape if ask.fault and ask.fault.do == "lie" else ""),
        ),
    ]


def others(cloud: Cloud) -> Table:
    """What an account has beside instances."""
    return [
        ("GET", "/regions", lambda ask: [catalogue.region(name) for name in catalogue.REGIONS]),
        ("GET", "/images", lambda ask: catalogue.images()),
        ("GET", "/ssh-keys", lambda ask: cloud.ssh_keys.listed()),
        ("POST", "/ssh-keys", lambda ask: cloud.ssh_keys.create(bodies.SshKey(**ask.body))),
        ("DELETE", "/ssh-keys/{id}", lambda ask: cloud.ssh_keys.delete(ask.id)),
        ("GET", "/file-systems", lambda ask: cloud.filesystems.listed()),
        ("POST", "/filesystems", lambda ask: cloud.filesystems.create(bodies.Filesystem(**ask.body))),
        ("DELETE", "/filesystems/{id}", lambda ask: cloud.filesystems.delete(ask.id)),
        ("GET", "/audit-events", lambda ask: events(cloud, ask.query)),
    ]


def firewall(cloud: Cloud) -> Table:
    """Rules, and rulesets."""
    return [
        ("GET", "/firewall-rules", lambda ask: cloud.rules.listed()),
        ("PUT", "/firewall-rules", lambda ask: cloud.rules.change(bodies.Rules(**ask.body).data)),
        ("GET", "/firewall-rulesets", lambda ask: cloud.rulesets.listed()),
        ("POST", "/firewall-rulesets", lambda ask: cloud.rulesets.create(bodies.Ruleset(**ask.body))),
        ("GET", "/firewall-rulesets/global", lambda ask: cloud.rules.get()),
        ("PATCH", "/firewall-rulesets/global", lambda ask: cloud.rules.change_ruleset(bodies.GlobalChange(**ask.body))),
        ("GET", "/firewall-rulesets/{id}", lambda ask: cloud.rulesets.get(ask.id)),
        (
            "PATCH",
            "/firewall-rulesets/{id}",
            lambda ask: cloud.rulesets.change(ask.id, bodies.RulesetChange(**ask.body)),
        ),
        ("DELETE", "/firewall-rulesets/{id}", lambda ask: cloud.rulesets.delete(ask.id)),
    ]


def routes(cloud: Cloud) -> list[Route]:
    """For the app."""
    methods: dict[str, dict[str, Callable]] = {}
    for method, path, function in table(cloud):
        methods.setdefault(path, {})[method] = function
    return [
        Route(PREFIX + path, endpoint(cloud, functions), methods=list(functions)) for path, functions in methods.items()
    ]


def endpoint(cloud: Cloud, functions: dict[str, Callable[[Ask], object]]) -> Callable:
    """For all methods of a path. In a thread, since a node takes a moment."""

    async def answer(request: Request) -> JSONResponse:
        ask = Ask(
            await body(request),
            request.path_params.get("id", ""),
            request.query_params,
            key_of(request.headers.get("authorization", "")),
            request.scope.get("fault"),
        )
        data = await run_in_threadpool(
            act, cloud, functions["GET" if request.method == "HEAD" else request.method], ask
        )
        return JSONResponse(data if isinstance(data, Whole) else {"data": data})

    return answer


def act(cloud: Cloud, function: Callable[[Ask], object], ask: Ask) -> object:
    """Do it; or only say so; or show less than there is."""
    audit.caller.set(ask.key)
    with cloud.world.pretending() if ask.fault and ask.fault.do == "lie" else contextlib.nullcontext():
        data = function(ask)
    if ask.fault and ask.fault.do == "lag" and isinstance(data, list):
        since = cloud.clock.now() - ask.fault.seconds
        data = [item for item in data if cloud.store.born(item.get("id", "")) <= since]
    return data


def events(cloud: Cloud, query: Mapping[str, str]) -> Whole:
    """A page of them."""
    with cloud.world.lock:
        return Whole(audit.page(cloud.store, query, cloud.config.audit_page))


async def body(request: Request) -> dict:
    """JSON whatever the Content-Type says: some clients send none."""
    if request.method in ("GET", "HEAD", "DELETE"):
        return {}
    sent = await request.body()
    if not sent:
        raise ApiError("global/invalid-parameters", "A body is required.")
    try:
        content = json.loads(sent)
    except ValueError as error:
        raise ApiError("global/invalid-parameters", "The body is not JSON.") from error
    if not isinstance(content, dict):
        raise ApiError("global/invalid-parameters", "The body is not an object.")
    return content
