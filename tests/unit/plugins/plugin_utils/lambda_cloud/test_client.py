# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are JSON and yet not as documented."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import client, errors

CALLS = {
    "instances": (),
    "instance": ("0a",),
    "offers": (),
    "regions": (),
    "images": (),
    "ssh_keys": (),
    "filesystems": (),
    "global_rules": (),
    "rulesets": (),
    "add_ssh_key": ("ada", "ssh-ed25519 AAAA"),
    "add_filesystem": ("models", "us-east-3"),
}


def answering(answer):
    """A client whose every call is answered so."""
    return client.Client(
        SimpleNamespace(read=lambda path: answer, once=lambda method, path, body, **more: answer, clock=None)
    )


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    "answer", [None, 7, "x", [7], [None], [[]], {"x": 7}, {"rules": 7}, {"rules": [7]}, {"rules": None}]
)
def test_an_answer_that_nobody_can_read_is_an_error_that_leaves_open_what_was_done(method, answer):
    with pytest.raises(errors.LambdaError, match="not as documented") as caught:
        getattr(answering(answer), method)(*CALLS[method])
    assert caught.value.is_ambiguous and caught.value.kind == "unknown"


@pytest.mark.parametrize("method", ["instances", "regions", "images", "ssh_keys", "filesystems", "rulesets"])
def test_an_empty_object_is_not_an_empty_list(method):
    assert getattr(answering([]), method)() == []
    with pytest.raises(errors.LambdaError, match="not as documented"):
        getattr(answering({}), method)()
