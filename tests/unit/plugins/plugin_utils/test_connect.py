# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to a client: what is given, then the environment, then what is documented."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.gh200.inference.plugins.plugin_utils import connect as connecting
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.errors import CloudError


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    """Nothing of the user's."""
    for about in connecting.CONNECTION.values():
        for name in about.get("fallback", (None, []))[1]:
            monkeypatch.delenv(name, raising=False)


def connect(options):
    """As an action does it."""
    validated = ArgumentSpecValidator(connecting.CONNECTION).validate(connecting.given(options))
    assert not validated.error_messages
    return connecting.connect(validated.validated_parameters)


def key_of(client):
    """The key that it sends."""
    return client.http.session.auth.api_key


def test_the_documented_address_and_pace_are_the_default():
    client = connect({"api_key": "k"})
    assert client.http.url == "https://cloud.lambda.ai/api/v1" and client.http.timeout == 120
    assert client.http.pace.intervals == {"request": 1.0, "launch": 12.0}


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_option_is_taken_from_the_environment(monkeypatch, empty):
    monkeypatch.setenv("LAMBDA_API_KEY", "from-environment")
    monkeypatch.setenv("LAMBDA_API_URL", "http://127.0.0.1:1/api/v1/")
    monkeypatch.setenv("LAMBDA_LAUNCH_INTERVAL", "0.5")
    client = connect({"api_key": empty, "api_url": empty, "launch_interval": empty})
    assert (
        key_of(client) == "from-environment"
        and client.http.url == "http://127.0.0.1:1/api/v1"
        and client.http.pace.intervals["launch"] == 0.5
    )


@pytest.mark.parametrize("name", ["LAMBDA_API_URL", "LAMBDA_REQUEST_INTERVAL", "LAMBDA_LAUNCH_INTERVAL"])
def test_an_empty_variable_is_as_good_as_none(monkeypatch, name):
    monkeypatch.setenv(name, "")
    client = connect({"api_key": "k"})
    assert client.http.url == "https://cloud.lambda.ai/api/v1" and client.http.pace.intervals == {
        "request": 1.0,
        "launch": 12.0,
    }


def test_the_account_is_told_apart_without_its_key():
    one, other = connect({"api_key": "planted"}), connect({"api_key": "planted2"})
    assert (
        one.account_id == connect({"api_key": "planted"}).account_id != other.account_id
        and "planted" not in one.account_id
    )


def test_an_option_wins_over_the_environment(monkeypatch):
    monkeypatch.setenv("LAMBDA_API_KEY", "from-environment")
    assert key_of(connect({"api_key": "given"})) == "given"


def test_an_interval_of_zero_is_given():
    assert connect({"api_key": "k", "request_interval": 0}).http.pace.intervals["request"] == 0


def test_a_key_may_come_from_a_file(tmp_path, monkeypatch):
    (tmp_path / "key").write_text("in-file\n", encoding="utf-8")
    assert key_of(connect({"api_key_file": str(tmp_path / "key")})) == "in-file"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LAMBDA_API_KEY_FILE", "~/key")
    assert key_of(connect({})) == "in-file"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "There is no Lambda API key. Export LAMBDA_API_KEY"),
        ({"api_key": "  "}, "There is no Lambda API key"),
        ({"api_key_file": "/nonexistent/key"}, "/nonexistent/key .*No such file"),
        ({"api_key": "planted", "api_url": "cloud.lambda.ai"}, "api_url is 'cloud.lambda.ai'"),
    ],
)
def test_what_is_missing_or_wrong_is_told_in_a_sentence(options, words):
    with pytest.raises(CloudError, match=words) as caught:
        connect(options)
    assert "planted" not in str(caught.value)


def test_an_empty_file_is_told_in_a_sentence(tmp_path):
    (tmp_path / "key").write_text("\n", encoding="utf-8")
    with pytest.raises(CloudError, match="is empty"):
        connect({"api_key_file": str(tmp_path / "key")})
