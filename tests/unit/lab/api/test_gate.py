# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is let pass: keys, pace, edge, paths."""

from __future__ import annotations

import base64

import pytest

KEY = "secret_test_0000.key"
ENCODED = base64.b64encode(f"{KEY}:".encode()).decode()


@pytest.mark.parametrize(
    "header", [f"Bearer {KEY}", f"bearer {KEY}", f"Basic {ENCODED}", f"Basic {KEY}", f"Basic {KEY}:"]
)
def test_a_key_is_known_in_each_of_its_spellings(account, header):
    assert account.call("GET", "/instances", headers={"Authorization": header}).json() == {"data": []}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "No API key was provided."),
        ("Bearer", "No API key was provided."),
        (f"Token {KEY}", "No API key was provided."),
        ("Bearer wrong", "API key was invalid, expired, or deleted."),
        ("Basic d3Jvbmc6", "API key was invalid, expired, or deleted."),
        ("Basic %%%", "API key was invalid, expired, or deleted."),
    ],
)
def test_without_a_known_key_it_is_401_and_the_message_says_which(account, header, message):
    answer = account.call("GET", "/instances", headers={"Authorization": header})
    assert answer.status_code == 401
    assert (answer.json()["error"]["code"], answer.json()["error"]["message"]) == ("global/invalid-api-key", message)


def test_a_second_call_within_a_second_is_refused_and_does_not_count(make):
    account = make(request_interval=1.0)
    assert account.call("GET", "/regions").status_code == 200
    account.wait(0.9)
    refused = account.call("GET", "/regions")
    assert (refused.status_code, refused.text) == (429, "error code: 1015")
    assert "retry-after" not in refused.headers
    account.wait(0.1)
    assert account.call("GET", "/regions").status_code == 200
    assert account.cloud.pacing_refusals == 1


def test_launches_have_their_own_pace_and_lists_go_in_between(make):
    account = make(launch_interval=12.0)
    account.launch()
    assert len(account.listed()) == 1
    account.wait(11.5)
    assert account.call("POST", "/instance-operations/launch", {}).status_code == 429
    account.wait(0.5)
    account.launch()
    assert account.cloud.pacing_refusals == 1


def test_a_launch_that_was_refused_for_capacity_counts(make):
    account = make(launch_interval=12.0, capacity={})
    assert account.refusal("POST", "/instance-operations/launch", {})[0] == 400
    assert account.call("POST", "/instance-operations/launch", {}).status_code == 429


def test_sixteen_launches_at_the_allowed_pace_are_never_too_fast(make):
    account = make(launch_interval=12.0, request_interval=1.0)
    for dummy in range(16):
        account.launch()
        account.wait(12.0)
    assert account.cloud.pacing_refusals == 0


def test_each_key_has_its_own_pace(make):
    account = make(request_interval=1.0, api_keys=[KEY, "other"])
    assert account.call("GET", "/regions").status_code == 200
    assert account.call("GET", "/regions", headers={"Authorization": "Bearer other"}).status_code == 200


@pytest.mark.parametrize(
    ("shape", "body", "header"),
    [("json", '"code": "global/rate-limited"', None), ("retry-after", "error code: 1015", "12")],
)
def test_the_other_shapes_of_a_429(make, shape, body, header):
    account = make(request_interval=1.0, rate_shape=shape)
    account.call("GET", "/regions")
    refused = account.call("GET", "/regions")
    assert refused.status_code == 429 and body in refused.text and refused.headers.get("retry-after") == header


def test_the_edge_blocks_python_urllib_when_it_is_told_to(make):
    account = make(block_urllib=True)
    refused = account.call("GET", "/regions", headers={"User-Agent": "Python-urllib/3.11"})
    assert (refused.status_code, refused.text) == (403, "error code: 1010")
    assert refused.headers["content-type"].startswith("text/plain")
    assert account.call("GET", "/regions", headers={"User-Agent": "curl/8"}).status_code == 200
    assert [call.user_agent for call in account.app.state.calls] == ["Python-urllib/3.11", "curl/8"]


def test_the_deprecated_host_redirects_to_the_new_one(make):
    account = make(deprecated_hosts=["old.example.com"])
    answer = account.call("GET", "/regions", headers={"Host": "old.example.com:8600"})
    assert (answer.status_code, answer.headers["location"]) == (301, "https://cloud.lambda.ai/api/v1/regions")
    assert account.call("GET", "/regions").status_code == 200


def test_an_inactive_account_is_refused_everywhere(make):
    account = make(inactive=True)
    for method, path in (("GET", "/instances"), ("POST", "/instance-operations/launch"), ("DELETE", "/ssh-keys/x")):
        assert account.refusal(method, path)[:2] == (403, "global/account-inactive")


def test_an_account_that_may_not_read_instances(make):
    account = make(forbidden=True)
    assert (
        account.refusal("GET", "/instances")[:2]
        == account.refusal("GET", "/instances/x")[:2]
        == (403, "global/forbidden")
    )
    assert account.data("GET", "/regions")


@pytest.mark.parametrize("path", ["/user", "/account", "/billing", "/usage", "/filesystem", "/instances/x/y"])
def test_an_unknown_path_is_not_found(account, path):
    assert account.refusal("GET", path)[:2] == (404, "global/not-found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/file-systems"), ("GET", "/filesystems"), ("DELETE", "/file-systems/x"), ("PUT", "/instances")],
)
def test_a_filesystem_has_two_spellings_and_each_its_methods(account, method, path):
    assert account.call(method, path).status_code in (404, 405)


def test_a_slash_at_the_end_and_an_unknown_query_change_nothing(account):
    assert account.data("GET", "/regions/") == account.data("GET", "/regions?x=1") == account.data("GET", "/regions")


def test_a_body_is_json_without_its_content_type_and_with_unknown_fields(account):
    answer = account.client.post(
        "/api/v1/ssh-keys", content=b'{"name": "k", "public_key": "ssh-rsa AAAA", "shape": [1]}'
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "The body is not JSON."),
        (b"[]", "The body is not an object."),
        (b"", "A body is required."),
        (b"null", "The body is not an object."),
    ],
)
def test_a_body_that_is_none(account, content, message):
    answer = account.client.post("/api/v1/ssh-keys", content=content)
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


def test_what_is_changed_needs_a_body_even_if_it_may_be_an_empty_object(account):
    instance = f"/instances/{account.launch(name='n')}"
    ruleset = account.data("POST", "/firewall-rulesets", {"name": "r1", "region": "us-east-3", "rules": []})
    for method, path in (
        ("POST", instance),
        ("PATCH", "/firewall-rulesets/global"),
        ("PATCH", f"/firewall-rulesets/{ruleset['id']}"),
    ):
        assert account.refusal(method, path) == (400, "global/invalid-parameters", "A body is required.")
        account.data(method, path, {})


def test_every_call_is_noted_in_its_order_with_its_answer(account):
    account.call("GET", "/nothing")
    account.call("POST", "/ssh-keys", {"name": ""})
    account.call("GET", "/regions?a=b")
    account.admin("GET", "/faults")
    noted = [(call.method, call.path, call.query, call.body, call.status) for call in account.app.state.calls]
    assert noted == [
        ("GET", "/nothing", "", {}, 404),
        ("POST", "/ssh-keys", "", {"name": ""}, 400),
        ("GET", "/regions", "a=b", {}, 200),
    ]
    assert account.app.state.calls[0].at == 1_800_000_000.0


def test_what_goes_wrong_inside_is_an_internal_error_without_a_traceback(account, monkeypatch):
    monkeypatch.setattr(account.cloud, "instances", lambda: 1 / 0)
    answer = account.call("GET", "/instances")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "global/internal-error")
    assert "ZeroDivision" not in answer.text
