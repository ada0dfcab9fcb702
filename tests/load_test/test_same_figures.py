# SPDX-License-Identifier: GPL-3.0-or-later
"""The page's figures and those of the role are the same of the same requests."""

from __future__ import annotations

import importlib.util
import random

import pytest

from tests.load_test.conftest import FILES, node

COUNT = """
import { figures } from "./src/figures.js";
let text = "";
for await (const part of process.stdin) text += part;
process.stdout.write(JSON.stringify(figures(JSON.parse(text))));
"""


def requests(seed):
    """Some requests, of each kind."""
    chance = random.Random(seed)
    for _number in range(chance.randint(1, 40)):
        start = chance.uniform(0, 5)
        end = start + chance.uniform(0.1, 9)
        kind = chance.choice(["good", "good", "good", "error", "stopped", "one", "silent"])
        if kind in ("error", "stopped"):
            yield {"start": start, "end": end} | (
                {"error": chance.choice("ab")} if kind == "error" else {"stopped": True}
            )
            continue
        silent = kind == "silent"
        gaps = [chance.uniform(0, 1) for _gap in range(chance.randint(0, 5))]
        yield {
            "start": start,
            "end": end,
            "first": None if silent else start + (end - start) / 4,
            "last": None if silent else end - (end - start) / 9,
            "tokens": 0 if silent else 1 if kind == "one" else chance.randint(2, 99),
            "prompt_tokens": chance.randint(1, 50),
            "chunks": len(gaps) + 1,
            "gaps": gaps,
        }


@pytest.mark.parametrize("seed", range(12))
def test_they_are_the_same(seed):
    spec = importlib.util.spec_from_file_location("figures", FILES / "figures.py")
    figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figures)
    given = list(requests(seed))
    here, there = figures.figures(given), node(["--input-type=module", "--eval", COUNT], given)
    assert list(here) == list(there)
    for name, value in here.items():
        parts = value if isinstance(value, dict) else {"": value}
        others = there[name] if isinstance(there[name], dict) else {"": there[name]}
        assert parts == pytest.approx(others) if name != "errors" else value == there[name], name
