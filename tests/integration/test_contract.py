# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator against Lambda's own description of its API: every answer fits its schema, every documented error can
be had.

Lambda's document may not be redistributed. Get it from https://cloud.lambda.ai/api/v1/openapi.json (no key is needed)
and name it in LAMBDA_OPENAPI.
"""

from __future__ import annotations

import ipaddress
import json
import os
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest
import referencing
import referencing.jsonschema
import requests

from lab.api import routes
from lab.api.faults import Fault

from .simulator import FakeClock

OUT_OF_SCOPE = ("/fabric", "/tickets")
LAUNCH = {"region_name": "us-east-3", "instance_type_name": "gpu_1x_gh200", "ssh_key_names": ["laptop"]}
RULE = {"protocol": "tcp", "port_range": [22, 22], "source_network": "0.0.0.0/0", "description": "ssh"}
RULESET = {"name": "r1", "region": "us-east-3", "rules": [RULE]}
FORMATS = jsonschema.FormatChecker(formats=())
FORMATS.checks("date-time", ValueError)(lambda text: datetime.fromisoformat(text).tzinfo is not None)
FORMATS.checks("ipv4network", ValueError)(lambda text: bool(ipaddress.IPv4Network(text)))


@pytest.fixture(name="document", scope="module")
def provider_document():
    """Lambda's OpenAPI document, parsed."""
    path = os.environ.get("LAMBDA_OPENAPI")
    if not path:
        pytest.skip(
            "LAMBDA_OPENAPI names no file: get Lambda's document from "
            "https://cloud.lambda.ai/api/v1/openapi.json and name it there"
        )
    return json.loads(Path(path).read_text(encoding="utf-8"))


def operations(document):
    """(method, path without /api/v1) to the operation, for what is in scope."""
    return {
        (method.upper(), path.removeprefix("/api/v1")): operation
        for path, item in document["paths"].items()
        if not path.removeprefix("/api/v1").startswith(OUT_OF_SCOPE)
        for method, operation in item.items()
    }


def codes(document, operation):
    """(status, code) of each error of an operation."""

    def resolve(schema):
        return document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    for status, response in operation["responses"].items():
        error = response["content"]["application/json"]["schema"]["properties"].get("error")
        if error is not None:
            for kind in error.get("anyOf", [error]):
                yield int(status), resolve(kind)["properties"]["code"]["const"]


class Client:
    """Asks, and holds each answer against the document."""

    def __init__(self, cloud, document):
        self.cloud, self.document = cloud, document
        resource = referencing.Resource(document, referencing.jsonschema.DRAFT202012)
        self.registry = referencing.Registry().with_resource("urn:lambda", resource)
        self.seen = set()

    def ask(self, method, path, body=None, key=None, **ids):
        """`path` is as documented; `ids` fill it, or are its query."""
        headers = {} if key == "" else {"Authorization": f"Bearer {key or self.cloud.key}"}
        query = {name: value for name, value in ids.items() if f"{{{name}}}" not in path}
        answer = requests.request(
            method, self.cloud.url + path.format(**ids), json=body, params=query, headers=headers, timeout=10
        )
        self.check(method, path, answer)
        return answer

    def data(self, method, path, body=None, **ids):
        answer = self.ask(method, path, body, **ids)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def check(self, method, path, answer):
        """A jsonschema.ValidationError, or an AssertionError for a status that is not documented."""
        documented = self.document["paths"][f"/api/v1{path}"][method.lower()]["responses"]
        assert str(answer.status_code) in documented, (
            f"{method} {path} answered {answer.status_code}, which is not documented: {answer.text}"
        )
        pointer = f"/api/v1{path}".replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
        schema = {
            "$ref": f"urn:lambda#/paths/{pointer}/{method.lower()}/responses/{answer.status_code}"
            "/content/application~1json/schema"
        }
        jsonschema.Draft202012Validator(schema, registry=self.registry, format_checker=FORMATS).validate(answer.json())
        self.seen.add((method, path, answer.status_code, answer.json().get("error", {}).get("code", "")))


@pytest.fixture(name="client")
def checking_client(start, document):
    """Of an account with the real times, without pacing."""
    times = {"boot_seconds": 138, "address_seconds": 25, "terminate_seconds": 61}
    return Client(start(clock=FakeClock(), filesystems={"shared": "us-east-3", "far": "us-west-1"}, **times), document)


def test_the_simulator_has_the_documented_operations_and_no_other(client):
    assert {(method, path) for method, path, dummy in routes.table(client.cloud.cloud)} == set(
        operations(client.document)
    )


def test_every_success_fits_its_schema(client):
    """Instances bare and with everything, in each status."""
    ruleset = client.data("POST", "/firewall-rulesets", RULESET)["id"]
    full = LAUNCH | {
        "name": "n",
        "hostname": "n",
        "file_system_names": ["shared"],
        "tags": [{"key": "gh200:fleet", "value": "r1"}],
        "firewall_rulesets": [{"id": ruleset}],
        "image": {"family": "lambda-stack-22-04"},
        "user_data": "#cloud-config\n",
    }
    bare, rich = (
        client.data("POST", "/instance-operations/launch", body)["instance_ids"][0] for body in (LAUNCH, full)
    )
    for kind in ("unhealthy", "preempt"):
        client.cloud.faults.fate(kind)
        client.data("POST", "/instance-operations/launch", LAUNCH)
    statuses = set()
    for seconds in (0, 25, 113):
        client.cloud.clock.sleep(seconds)
        statuses |= {item["status"] for item in client.data("GET", "/instances")}
        client.data("GET", "/instances/{id}", id=rich)
    client.data("POST", "/instances/{id}", {"name": "m"}, id=rich)
    client.data("POST", "/instance-operations/restart", {"instance_ids": [rich]})
    client.data("GET", "/firewall-rulesets")
    client.cloud.cloud.config.retention_seconds = 100
    client.data("POST", "/instance-operations/terminate", {"instance_ids": [bare, rich]})
    statuses |= {item["status"] for item in client.data("GET", "/instances")}
    client.cloud.clock.sleep(61)
    statuses |= {item["status"] for item in client.data("GET", "/instances")}
    assert statuses == set(client.document["components"]["schemas"]["InstanceStatus"]["enum"])
    for path in ("/instance-types", "/regions", "/images", "/file-systems", "/firewall-rulesets/global"):
        assert client.data("GET", path)
    imported = client.data("POST", "/ssh-keys", {"name": "desk", "public_key": "ssh-rsa AAAA"})
    client.data("POST", "/ssh-keys", {"name": "made"})
    client.data("GET", "/ssh-keys")
    client.data("DELETE", "/ssh-keys/{id}", id=imported["id"])
    made = client.data("POST", "/filesystems", {"name": "models", "region": "us-east-3"})
    client.data("DELETE", "/filesystems/{id}", id=made["id"])
    client.data(
        "PUT",
        "/firewall-rules",
        {"data": [RULE, {"protocol": "icmp", "source_network": "192.0.2.1", "description": ""}]},
    )
    client.data("GET", "/firewall-rules")
    client.data("PATCH", "/firewall-rulesets/global", {"rules": [RULE]})
    client.data("GET", "/firewall-rulesets/{id}", id=ruleset)
    client.data("PATCH", "/firewall-rulesets/{id}", {"name": "x"}, id=ruleset)
    client.data("DELETE", "/firewall-rulesets/{id}", id=ruleset)
    client.cloud.cloud.config.audit_page = 2
    assert client.ask("GET", "/audit-events").json()["page_token"]
    wanted = {
        (method, path)
        for (method, path), operation in operations(client.document).items()
        if "200" in operation["responses"]
    }
    assert wanted - {(method, path) for method, path, status, dummy in client.seen if status == 200} == set()


# -- errors: how each is had without a fault


def bad_request(client):
    """Wrong bodies."""
    for operation in ("launch", "terminate", "restart"):
        client.ask("POST", f"/instance-operations/{operation}", {})
    for path in ("/filesystems", "/firewall-rulesets", "/ssh-keys"):
        client.ask("POST", path, {})
    client.ask("PUT", "/firewall-rules", {"data": [RULE | {"protocol": "icmp"}]})
    client.ask("PATCH", "/firewall-rulesets/global", {"rules": 1})
    client.ask("PATCH", "/firewall-rulesets/{id}", {"name": "x" * 65}, id="x")
    client.ask("POST", "/instances/{id}", {"name": "x" * 65}, id="x")
    client.ask("GET", "/audit-events", start="yesterday")


def missing_object(client):
    """Ids of nothing, and names of nothing."""
    for method, path in (
        ("GET", "/instances/{id}"),
        ("POST", "/instances/{id}"),
        ("DELETE", "/filesystems/{id}"),
        ("DELETE", "/ssh-keys/{id}"),
        ("GET", "/firewall-rulesets/{id}"),
        ("PATCH", "/firewall-rulesets/{id}"),
        ("DELETE", "/firewall-rulesets/{id}"),
    ):
        client.ask(method, path, {} if method in ("POST", "PATCH") else None, id="none")
    for operation in ("restart", "terminate"):
        client.ask("POST", f"/instance-operations/{operation}", {"instance_ids": ["none"]})
    client.ask("POST", "/instance-operations/launch", LAUNCH | {"ssh_key_names": ["none"]})
    client.ask(
        "POST",
        "/instance-operations/launch",
        LAUNCH | {"file_system_mounts": [{"file_system_id": "none", "mount_point": "/data/x"}]},
    )


def state_of_things(client):
    """What is in use, there already, elsewhere, or not possible now."""
    ruleset = client.data("POST", "/firewall-rulesets", RULESET)["id"]
    user = LAUNCH | {"file_system_names": ["shared"], "firewall_rulesets": [{"id": ruleset}]}
    client.ask("POST", "/instance-operations/restart", client.data("POST", "/instance-operations/launch", user))
    client.ask("DELETE", "/firewall-rulesets/{id}", id=ruleset)
    client.ask(
        "DELETE",
        "/filesystems/{id}",
        id=next(item["id"] for item in client.data("GET", "/file-systems") if item["name"] == "shared"),
    )
    client.ask("POST", "/filesystems", {"name": "shared", "region": "us-east-3"})
    client.ask("POST", "/instance-operations/launch", LAUNCH | {"file_system_names": ["far"]})
    client.ask("POST", "/instance-operations/launch", LAUNCH | {"region_name": "us-west-1"})


def limits(client):
    """Quotas and the billing address."""
    config = client.cloud.cloud.config
    config.quota = config.filesystem_quota = config.ruleset_quota = 0
    for dummy in range(2):
        client.ask("POST", "/instance-operations/launch", LAUNCH)
        client.ask("POST", "/filesystems", {"name": "x", "region": "us-east-3"})
        client.ask("POST", "/firewall-rulesets", RULESET)
        config.invalid_address = True


def strangers(client):
    """Without the key, and with an account that is not active or may not read."""
    config = client.cloud.cloud.config
    for method, path in operations(client.document):
        for key in ("", "wrong"):
            client.ask(method, path, key=key, id="x")
        config.inactive = True
        client.ask(method, path, id="x")
        config.inactive = False
    config.forbidden = True
    client.ask("GET", "/instances")
    client.ask("GET", "/instances/{id}", id="x")


def test_every_documented_error_can_be_had_and_fits_its_schema(client):
    """What the document does not say how to cause is had by a fault, and nothing else is."""
    wanted = {
        (*name, status, code)
        for name, operation in operations(client.document).items()
        for status, code in codes(client.document, operation)
    }
    assert len(wanted) > 100
    for story in (bad_request, missing_object, state_of_things, strangers, limits):
        story(client)
        client.cloud.cloud.config.forbidden = False
    unexplained = wanted - client.seen
    for method, path, status, code in unexplained:
        # A list that is not found, parameters of what has none, and an edit that another one crossed.
        bodyless = code == "global/invalid-parameters" and method in ("GET", "DELETE")
        assert code in ("global/not-found", "global/internal-error") or bodyless, (method, path, code)
        client.cloud.faults.add(Fault(on=f"{method} {path}", code=code, status=status))
        client.ask(method, path, {} if method in ("POST", "PATCH", "PUT") else None, id="x")
    assert wanted - client.seen == set()


def test_the_check_itself_notices_what_is_not_documented(client):
    """An answer with a wrong type, a code that does not belong there, a status of its own."""
    client.cloud.faults.add(Fault(code="global/duplicate", status=400), Fault(code="global/conflict", status=418))
    with pytest.raises(jsonschema.ValidationError):
        client.ask("GET", "/images")
    with pytest.raises(AssertionError, match="418, which is not documented"):
        client.ask("GET", "/images")
    client.cloud.cloud.store.filesystems[next(iter(client.cloud.cloud.store.filesystems))]["created"] = "yesterday"
    with pytest.raises(jsonschema.ValidationError, match="yesterday"):
        client.ask("GET", "/file-systems")
