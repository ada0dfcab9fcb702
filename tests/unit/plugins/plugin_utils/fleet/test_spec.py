# SPDX-License-Identifier: GPL-3.0-or-later
"""What a fleet is asked to be stands in the options, and nowhere a second time."""

from __future__ import annotations

import dataclasses
import importlib

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import spec


@pytest.mark.parametrize(("kind", "module"), [("FleetSpec", "lambda_fleet"), ("EndSpec", "lambda_reap")])
def test_every_field_is_an_option_of_that_name_and_has_no_default_of_its_own(kind, module):
    action = importlib.import_module(f"ansible_collections.gh200.inference.plugins.action.{module}")
    for field in dataclasses.fields(getattr(spec, kind)):
        assert field.name in action.ActionModule.SPEC
        assert field.default is field.default_factory is dataclasses.MISSING


def test_what_was_not_given_is_nothing_and_what_is_empty_in_a_list_is_left_out():
    options = {field.name: None for field in dataclasses.fields(spec.FleetSpec)}
    made = spec.FleetSpec.from_options(options | {"region": ["", "us-east-3"], "filesystems": []})
    assert (made.size, made.ssh_key_name, made.region, made.filesystems) == (0, "", ("us-east-3",), ())
