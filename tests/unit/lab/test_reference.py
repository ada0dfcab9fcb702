# SPDX-License-Identifier: GPL-3.0-or-later
"""When transformers is asked, when its environment is made, and what a server is compared with."""

from __future__ import annotations

import json

import pytest

from lab import errors, model, reference
from lab.config import Paths
from lab.reference import environment

ANSWERS = {
    "passage": "so far",
    "tokens": 24,
    "rules": {
        rule: {
            "fingerprint": mean,
            "answers": [
                {"kind": "fact", "prompt": "Coal is", "expect": " black."},
                {"kind": "chat", "prompt": "<x>", "expect": "y"},
                {"kind": "odd", "prompt": "qqq"},
            ],
        }
        for rule, mean in (("sum", -1.5), ("best", -2.5))
    },
}


@pytest.fixture(name="lab")
def lab_with_a_model(tmp_path, monkeypatch):
    """Folders with a model, and the calls of the program that asks."""
    paths, calls = Paths(tmp_path), []
    folder = paths.hub / "repos" / model.REPOSITORY
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}", encoding="utf-8")

    def program(paths, say, module, folder, out):
        calls.append(module)
        out.write_text(json.dumps(ANSWERS), encoding="utf-8")

    monkeypatch.setattr(environment, "program", program)
    return paths, folder, calls


def test_it_is_asked_once_for_each_model(lab):
    paths, folder, calls = lab
    first = reference.ensure(paths, lambda line: None)
    assert reference.ensure(paths, lambda line: None) == first and len(calls) == 1
    assert json.loads(first.read_text(encoding="utf-8"))["revision"] == first.stem == model.revision(folder)
    (folder / "config.json").write_text("{ }", encoding="utf-8")
    assert reference.ensure(paths, lambda line: None) != first and len(calls) == 2


def test_it_is_asked_again_when_versions_change_or_the_file_is_broken(lab, monkeypatch):
    paths, dummy, calls = lab
    file = reference.ensure(paths, lambda line: None)
    file.write_text("{", encoding="utf-8")
    reference.ensure(paths, lambda line: None)
    monkeypatch.setattr(environment, "wanted", lambda: "transformers==0")
    reference.ensure(paths, lambda line: None)
    assert calls == ["lab.reference.ask"] * 3


@pytest.mark.parametrize(("rule", "mean"), [("sum", -1.5), ("best", -2.5)])
def test_a_server_gets_the_passage_its_mean_and_the_plain_facts(lab, rule, mean):
    assert reference.reference(lab[0], rule) == {
        "fingerprint": mean,
        "passage": "so far",
        "facts": [{"prompt": "Coal is", "expect": [" black."]}],
    }


def test_without_a_model_one_sentence_says_what_to_do(tmp_path):
    with pytest.raises(errors.LabError, match=r"has no model in .* `make lab` makes it"):
        reference.ensure(Paths(tmp_path), lambda line: None)


def test_another_version_is_another_environment(tmp_path, monkeypatch):
    before = environment.folder(Paths(tmp_path))
    monkeypatch.setattr(environment.torch_source, "VERSION", "9.9")
    assert environment.folder(Paths(tmp_path)) != before


def test_everything_in_the_environment_is_pinned_and_torch_in_one_place_only():
    lines = [line for line in environment.wanted().splitlines() if line and not line.startswith("#")]
    assert all("==" in line for line in lines) and sum(line.startswith("torch==") for line in lines) == 1


@pytest.mark.parametrize("index", ["", "file:///somewhere"])
def test_pip_gets_an_index_of_torch_only_where_it_needs_one(tmp_path, monkeypatch, index):
    ran = []

    def run(*command, log):
        ran.append([str(part) for part in command])
        environment.folder(Paths(tmp_path)).mkdir(exist_ok=True, parents=True)

    monkeypatch.setattr(environment, "run", run)
    monkeypatch.setattr(environment.torch_source, "torch_index", lambda: index)
    environment.ensure(Paths(tmp_path), lambda line: None)
    assert ("--extra-index-url" in ran[1]) is bool(index) and f"torch=={environment.torch_source.VERSION}+cpu" in ran[1]
    environment.ensure(Paths(tmp_path), lambda line: None)
    assert len(ran) == 2
