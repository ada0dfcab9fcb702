# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory sets each documented variable of each role, and what it sets arrives in every playbook that runs the
role.
"""

from __future__ import annotations

import pytest

from tests.unit.playbooks.stand_in import REPOSITORY, ROLES, WORKER, arrivals, options, roles_of

# These put others together.
COMPOSED = {"site", "start", "rotate_key", "upgrade"}
PLAYBOOKS = sorted(path.stem for path in (REPOSITORY / "playbooks").glob("*.yml") if path.stem not in COMPOSED)
MODEL = {"repository": "own/model", "revision": "own-revision", "served_name": "own-name"}
# What tasks of the playbooks look up must be there.
FITTING = {"vllm_build_builder": WORKER, "gh200_models": {"own-gh200_model-0": MODEL, "own-gh200_model-1": MODEL}}


def own(name, option, turn):
    """A value that fits the specification, and is no default."""
    if name in FITTING:
        return FITTING[name]
    if "choices" in option:
        one = option["choices"][turn % len(option["choices"])]
        return [one] * (turn + 1) if option["type"] == "list" else one
    if "options" in option:
        one = {key: own(f"{name}.{key}", inner, turn) for key, inner in option["options"].items()}
        return [one] if option["type"] == "list" else one
    word = f"own-{name}-{turn}"
    kinds = {
        "int": 4711 + turn,
        "float": 0.4711 + turn,
        "bool": bool(turn),
        "list": [{"dict": {word: word}, "int": 4711 + turn}.get(option.get("elements", "str"), word)],
        "dict": {word: word},
        "path": f"/own/{word}",
    }
    return kinds.get(option["type"], word)


VALUES = [
    {name: own(name, option, turn) for role in ROLES for name, option in options(role).items()} for turn in (0, 1)
]


@pytest.fixture(name="arrived", scope="module", params=[0, 1], ids=["one value", "another"])
def what_arrived(request, tmp_path_factory):
    """(the values of the inventory, what arrived of them)"""
    values = VALUES[request.param]
    return values, arrivals(tmp_path_factory.mktemp("obeyed"), PLAYBOOKS, values)


def test_each_value_is_one_that_no_default_has():
    told = {name: option["default"] for role in ROLES for name, option in options(role).items() if "default" in option}
    assert [name for name, default in told.items() if all(values[name] == default for values in VALUES)] == []


def test_every_playbook_shows_every_role_that_it_names(arrived):
    named = {(name, role) for name in PLAYBOOKS for role in roles_of(REPOSITORY / f"playbooks/{name}.yml")}
    assert named - {(line["playbook"], line["arrived"]) for line in arrived[1]} == set()


@pytest.mark.parametrize("role", ROLES)
def test_what_an_inventory_sets_arrives(arrived, role):
    values, lines = arrived
    mine = [line for line in lines if line["arrived"] == role]
    places = sorted({line["playbook"] for line in mine})
    print(f"{role}: {len(options(role))} variables in {', '.join(places)}")
    assert mine
    lost = {(line["playbook"], name) for line in mine for name in options(role) if line["values"][name] != values[name]}
    assert sorted(lost) == []
