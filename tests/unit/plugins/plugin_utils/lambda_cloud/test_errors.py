# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of the API, told apart by what to do about them."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors


def answer(status, code="", message="", suggestion=None):
    """The error for an answer in the API's envelope."""
    return errors.from_answer(
        "GET /x", status, {"error": {"code": code, "message": message, "suggestion": suggestion}}, ""
    )


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "global/invalid-api-key", "key"),
        (403, "global/account-inactive", "account"),
        (403, "global/invalid-address", "account"),
        (400, "global/invalid-parameters", "parameters"),
        (404, "global/object-does-not-exist", "not-found"),
        (400, "global/quota-exceeded", "quota"),
        (400, "instance-operations/launch/insufficient-capacity", "capacity"),
        (409, "global/conflict", "conflict"),
        (409, "global/internal-error", "server"),
        (503, "provider/internal-unavailable", "server"),
        (400, "provider/anything", "server"),
        (500, "global/of-next-year", "server"),
        (400, "global/of-next-year", "unknown"),
        (429, "global/rate-limited", "rate"),
        (429, "global/invalid-parameters", "rate"),
    ],
)
def test_a_code_tells_the_kind(status, code, kind):
    error = answer(status, code, "Said.")
    assert (error.kind, error.code, error.status) == (kind, code, status)


@pytest.mark.parametrize(
    ("status", "body", "text", "kind"),
    [
        (403, None, "error code: 1010", "edge"),
        (429, None, "error code: 1015", "rate"),
        (502, None, "<html>Bad\n Gateway</html>", "server"),
        (400, None, "", "unknown"),
        (403, {"error": {}}, "{}", "edge"),
        (403, {"error": "text"}, "text", "edge"),
        (500, [], "[]", "server"),
        (200, {"dat": 1}, '{"dat": 1}', "unknown"),
    ],
)
def test_an_answer_without_the_envelope_is_told_by_its_status(status, body, text, kind):
    error = errors.from_answer("GET /x", status, body, text)
    assert (error.kind, error.code, error.status) == (kind, "", status)
    assert (" ".join(text.split()) or "nothing") in str(error) and "\n" not in str(error)


def test_the_sentence_has_what_was_tried_what_came_back_and_what_to_do():
    error = answer(401, "global/invalid-api-key", "API key was invalid", "Make another.")
    assert error.said == "GET /x failed: the API answered 401 global/invalid-api-key: API key was invalid."
    assert str(error) == f"{error.said} {errors.ADVICE['key']}"


@pytest.mark.parametrize(
    ("status", "code", "cure"),
    [
        (401, "global/invalid-api-key", errors.ADVICE["key"]),
        (403, "global/account-inactive", "Theirs."),
        (400, "global/quota-exceeded", "Theirs."),
        (400, "global/invalid-parameters", "Theirs."),
        (429, "global/rate-limited", errors.ADVICE["rate"]),
        (500, "global/internal-error", "Theirs."),
    ],
)
def test_there_is_one_cure_and_not_two_in_a_row(status, code, cure):
    assert str(answer(status, code, "Said.", "Theirs.")).endswith(f": Said. {cure}")


@pytest.mark.parametrize(
    ("status", "body", "text"),
    [
        (200, None, "<!doctype html><title>Sign in</title>"),
        (404, None, "<html>nginx</html>"),
        (404, {"detail": "Not Found"}, '{"detail": "Not Found"}'),
        (404, {"error": {"code": "global/not-found", "message": "Not found."}}, ""),
        (200, {"dat": 1}, '{"dat": 1}'),
    ],
)
def test_what_is_not_the_api_or_a_wrong_path_points_at_the_address(status, body, text):
    assert "check api_url" in str(errors.from_answer("GET http://h/api/instances", status, body, text))


def test_a_thing_that_is_not_there_does_not_point_at_the_address():
    assert "api_url" not in str(answer(404, "global/object-does-not-exist", "Said."))


@pytest.mark.parametrize("body", [None, {"error": {"code": "x", "message": "Bearer PLANTED is wrong"}}])
def test_a_key_that_a_server_repeats_is_not_repeated_here(body):
    assert "PLANTED" not in str(errors.from_answer("GET /x", 400, body, "you sent Bearer PLANTED", "PLANTED"))


def test_a_page_instead_of_an_answer_is_cut_short():
    assert len(str(errors.from_answer("GET /x", 502, None, "x" * 10000))) < 300


@pytest.mark.parametrize(
    ("error", "ambiguous"),
    [
        (errors.LambdaError("reset", "network"), True),
        (answer(500, "global/internal-error"), True),
        (answer(500, "global/of-next-year"), True),
        (errors.from_answer("POST /x", 504, None, ""), True),
        (answer(400, "instance-operations/launch/insufficient-capacity"), False),
        (answer(401, "global/invalid-api-key"), False),
        (answer(400, "global/invalid-parameters"), False),
        (errors.from_answer("POST /x", 200, None, "<html>"), True),
    ],
)
def test_what_may_have_been_carried_out_is_told_apart(error, ambiguous):
    assert error.is_ambiguous is ambiguous
