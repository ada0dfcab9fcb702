# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that nobody means are refused, with option, value and range."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils import ranges
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud.errors import CloudError

SPEC = {
    "size": {"type": "int"},
    "timeout": {"type": "float"},
    "name": {"type": "str"},
    "ports": {"type": "list", "elements": "int"},
    "rules": {"type": "list", "elements": "dict", "options": {"port_range": {"type": "list", "elements": "int"}}},
    "on": {"type": "bool"},
}


@pytest.mark.parametrize("value", [0, 1, 2.0, "16", " 3 ", "+4"])
def test_whole_numbers_pass(value):
    ranges.check(SPEC, {"size": value, "ports": [value], "rules": [{"port_range": [value]}]})


@pytest.mark.parametrize("value", [0, 0.5, "12", "1.5", ".5", "5.", "1e2", 315360000, None])
def test_numbers_pass(value):
    ranges.check(SPEC, {"timeout": value})


def test_what_is_no_number_of_the_spec_is_not_looked_at():
    ranges.check(SPEC, {"name": "nan", "on": True, "unknown": float("nan"), "rules": "x"})


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        "true",
        "1e2",
        "1E2",
        1.5,
        "2.0",
        "",
        "x",
        "nan",
        float("nan"),
        float("inf"),
        -1,
        "-1",
        10**7,
        "9" * 400,
        pytest.param(10**5000, id="huge"),
        "1_0",
        {},
    ],
)
@pytest.mark.parametrize(
    "where",
    [
        lambda value: ("size", {"size": value}),
        lambda value: ("ports", {"ports": [1, value]}),
        lambda value: ("port_range", {"rules": [{"port_range": [value]}]}),
    ],
)
def test_what_is_no_whole_number_is_refused(where, value):
    name, options = where(value)
    with pytest.raises(
        CloudError,
        match=f"^{name} is .{{0,60}}, and must be a whole number, in digits, from 0 to 1000000. Nothing was changed.$",
    ):
        ranges.check(SPEC, options)


@pytest.mark.parametrize(
    "value",
    [
        True,
        "true",
        "nan",
        "NaN",
        "inf",
        "-inf",
        "infinity",
        float("nan"),
        float("inf"),
        -0.1,
        "-1",
        1e18,
        "1e18",
        "1e999",
        "soon",
        "",
    ],
)
def test_what_is_no_number_is_refused(value):
    with pytest.raises(
        CloudError, match=r"^timeout is .{0,60}, and must be a number from 0 to 315360000. Nothing was changed.$"
    ):
        ranges.check(SPEC, {"timeout": value})
