# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a run, by hand."""

from __future__ import annotations

import pytest


@pytest.fixture(name="figures")
def the_program(load):
    return load("load_test/figures.py").figures


def answer(start, first, last, end, tokens, chunks):
    return {
        "start": start,
        "first": first,
        "last": last,
        "end": end,
        "tokens": tokens,
        "chunks": chunks,
        "prompt_tokens": 5,
    }


def test_times_between_tokens_are_by_the_servers_count_and_not_by_chunks(figures):
    # 11 tokens in 3 chunks, within two seconds: 0.2 s each, and not one second.
    found = figures([answer(0, 1, 3, 4, 11, 3)])
    assert found["inter_token"] == {"p50": 0.2, "p90": 0.2, "p99": 0.2}
    assert found["first_token"]["p50"] == 1 and found["latency"]["p50"] == 4
    assert (found["output_tokens"], found["chunks"], found["tokens_per_second"]) == (11, 3, 11 / 4)


def test_one_token_has_a_first_and_none_between(figures):
    assert figures([answer(0, 1, 1, 2, 1, 1)])["inter_token"] is None


def test_percentiles_lie_between_the_nearest_values(figures):
    found = figures([answer(0, first, first, 9, 1, 1) for first in (1, 2, 3, 4, 5)])
    assert found["first_token"] == pytest.approx({"p50": 3, "p90": 4.6, "p99": 4.96})


def test_what_failed_or_was_stopped_is_apart(figures):
    requests = [
        answer(1, 2, 3, 4, 6, 6),
        {"start": 0, "end": 11, "error": "HTTP 500"},
        {"start": 1, "end": 2, "stopped": True},
    ]
    found = figures([*requests, {"start": 0, "end": 1, "error": "HTTP 500"}])
    assert found["errors"] == [{"text": "HTTP 500", "count": 2}]
    assert (found["requests"], found["completed"], found["failed"], found["stopped"]) == (4, 1, 2, 1)
    # The time of all requests, and the tokens of the whole answers.
    assert (found["seconds"], found["tokens_per_second"]) == (11, 6 / 11)
    assert found["latency"]["p99"] == 3


def test_nothing_at_all_is_no_division(figures):
    assert figures([])["tokens_per_second"] == 0


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            "ValueError('Streaming response returned an error: a rank is gone')",
            "Streaming response returned an error: a rank is gone",
        ),
        (
            "HTTPStatusError(\"Client error '401 Unauthorized' for url 'http://a/v1'\\nFor more information\")",
            "HTTP 401 Unauthorized",
        ),
        ("one line\nwith what guidellm was given", "one line"),
    ],
)
def test_an_error_of_guidellm_is_one_line(load_generator, error, told):
    assert load_generator.plain(error) == told


@pytest.fixture(name="load_generator")
def without_guidellm(load, monkeypatch):
    """generate.py, where guidellm is not installed."""
    import sys
    import types

    for name in ("guidellm", "guidellm.data", "guidellm.data.loaders", "guidellm.data.loaders.loader"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "guidellm.data.loaders.torch", types.ModuleType("torch"))
    registry = types.SimpleNamespace(register=lambda name: lambda one: one)
    sys.modules["guidellm.data.loaders.loader"].DataLoaderRegistry = registry
    return load("load_test/generate.py")
