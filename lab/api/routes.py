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

from . import audit, catalogue, filesystems, firewall, requests, ssh_keys
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


def table(cloud: Cloud) -> list[tuple[str, str, Callable[[Ask], object]]]:
    """Method, path, and a function that gives the `data` of the answer."""
    return [
        ("GET", "/instances", lambda ask: readable(cloud, lambda: [] if ask.query.get("cluster_id") else cloud.instances())),
        ("GET", "/instances/{id}", lambda ask: readable(cloud, lambda: cloud.instance(ask.id))),
        ("POST", "/instances/{id}", lambda ask: cloud.rename(ask.id, requests.Rename(**ask.body).name)),
        ("POST", "/instance-operations/launch", lambda ask: {"instance_ids": cloud.launch(requests.Launch(**ask.body))}),
        ("POST", "/instance-operations/terminate", lambda ask: {"terminated_instances": cloud.terminate(requests.InstanceIds(**ask.body).instance_ids)}),
        ("POST", "/instance-operations/restart", lambda ask: {"restarted_instances": cloud.restart(requests.InstanceIds(**ask.body).instance_ids)}),
        ("GET", "/instance-types", lambda ask: cloud.types(ask.fault.shape if ask.fault and ask.fault.do == "lie" else "")),
        ("GET", "/regions", lambda ask: [catalogue.region(name) for name in catalogue.REGIONS]),
        ("GET", "/images", lambda ask: catalogue.images()),
        ("GET", "/ssh-keys", lambda ask: ssh_keys.listed(cloud)),
        ("POST", "/ssh-keys", lambda ask: ssh_keys.add(cloud, requests.SshKey(**ask.body))),
        ("DELETE", "/ssh-keys/{id}", lambda ask: ssh_keys.delete(cloud, ask.id)),
        ("GET", "/file-systems", lambda ask: cloud.filesystems()),
        ("POST", "/filesystems", lambda ask: filesystems.add(cloud, requests.Filesystem(**ask.body))),
        ("DELETE", "/filesystems/{id}", lambda ask: filesystems.delete(cloud, ask.id)),
        ("GET", "/firewall-rules", lambda ask: firewall.rules(cloud)),
        ("PUT", "/firewall-rules", lambda ask: firewall.replace(cloud, requests.Rules(**ask.body))),
        ("GET", "/firewall-rulesets", lambda ask: firewall.rulesets(cloud)),
        ("POST", "/firewall-rulesets", lambda ask: firewall.add(cloud, requests.Ruleset(**ask.body))),
        ("GET", "/firewall-rulesets/global", lambda ask: firewall.global_ruleset(cloud)),
        ("PATCH", "/firewall-rulesets/global", lambda ask: firewall.change_global(cloud, requests.GlobalChange(**ask.body))),
        ("GET", "/firewall-rulesets/{id}", lambda ask: firewall.ruleset(cloud, ask.id)),
        ("PATCH", "/firewall-rulesets/{id}", lambda ask: firewall.change(cloud, ask.id, requests.RulesetChange(**ask.body))),
        ("DELETE", "/firewall-rulesets/{id}", lambda ask: firewall.delete(cloud, ask.id)),
        ("GET", "/audit-events", lambda ask: events(cloud, ask.query)),
    ]


def routes(cloud: Cloud) -> list[Route]:
    """For the app."""
    methods: dict[str, dict[str, Callable]] = {}
    for method, path, function in table(cloud):
        methods.setdefault(path, {})[method] = function
    return [Route(PREFIX + path, endpoint(cloud, functions), methods=list(functions)) for path, functions in methods.items()]


def endpoint(cloud: Cloud, functions: dict[str, Callable[[Ask], object]]) -> Callable:
    """For all methods of a path. In a thread, since a node takes a moment."""
    async def answer(request: Request) -> JSONResponse:
        ask = Ask(
            await body(request), request.path_params.get("id", ""), request.query_params, key_of(request.headers.get("authorization", "")),
            request.scope.get("fault"),
        )
        data = await run_in_threadpool(act, cloud, functions["GET" if request.method == "HEAD" else request.method], ask)
        return JSONResponse(data if isinstance(data, Whole) else {"data": data})

    return answer


def act(cloud: Cloud, function: Callable[[Ask], object], ask: Ask) -> object:
    """Do it; or only say so; or show less than there is."""
    audit.caller.set(ask.key)
    with cloud.pretending() if ask.fault and ask.fault.do == "lie" else contextlib.nullcontext():
        data = function(ask)
    if ask.fault and ask.fault.do == "lag" and isinstance(data, list):
        since = cloud.clock.now() - ask.fault.seconds
        data = [item for item in data if cloud.store.created.get(item.get("id"), 0.0) <= since]
    return data


def events(cloud: Cloud, query: Mapping[str, str]) -> Whole:
    """A page of them."""
    with cloud.lock:
        return Whole(audit.page(cloud.store, query, cloud.config.audit_page))


def readable(cloud: Cloud, function: Callable[[], object]) -> object:
    """Instances, unless the account may not read them."""
    if cloud.config.forbidden:
        raise ApiError("global/forbidden")
    return function()


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
