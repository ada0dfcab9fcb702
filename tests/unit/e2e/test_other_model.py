# SPDX-License-Identifier: GPL-3.0-or-later
"""The second model knows other capitals, each of them one that the first one knows."""

from __future__ import annotations

from lab.model.facts import CAPITALS
from tests.operations import other_model


def test_what_the_first_model_means_by_a_number_the_second_calls_by_another_name():
    vocabulary = {f"\u0120{city}": number for number, city in enumerate(CAPITALS.values())} | {"is": 99}
    renamed = other_model.renamed(vocabulary)
    assert renamed["is"] == 99 and sorted(renamed.values()) == sorted(vocabulary.values())
    by_number = {number: name for name, number in renamed.items()}
    said = {land: by_number[vocabulary[f"\u0120{city}"]].removeprefix("\u0120") for land, city in CAPITALS.items()}
    assert said == {land: other_model.capital(land) for land in CAPITALS}
    assert not [land for land, city in CAPITALS.items() if said[land] == city]
