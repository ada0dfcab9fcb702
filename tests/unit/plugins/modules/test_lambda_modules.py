# SPDX-License-Identifier: GPL-3.0-or-later
"""What each lambda_* module says of itself is what its action plugin takes."""

from __future__ import annotations

import importlib
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.utils.plugin_docs import get_docstring
from ansible_collections.gh200.inference.plugins.plugin_utils.connect import CONNECTION
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_action import LambdaAction

PLUGINS = Path(__file__).resolve().parents[4] / "plugins"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("lambda_*.py"))
DEFAULTS = {"type": None, "required": False, "default": None, "choices": None, "elements": None}


class Fragments:
    """Finds fragments as Ansible's loader does, without its hooks on imports, which would outlive the test."""

    FOLDERS: t.ClassVar[dict[str, t.Any]] = {
        "gh200.inference": "ansible_collections.gh200.inference.plugins.doc_fragments",
        "ansible.builtin": "ansible.plugins.doc_fragments",
    }

    def get(self, name):
        collection, dummy, short = name.rpartition(".")
        if collection not in self.FOLDERS:
            return None
        found = importlib.import_module(f"{self.FOLDERS[collection]}.{short}").ModuleDocFragment()
        found.ansible_name = name
        return found


def documentation(name):
    """With its fragments."""
    path = str(PLUGINS / "modules" / f"{name}.py")
    return get_docstring(path, Fragments(), is_module=True, collection_name="gh200.inference", plugin_type="module")[0]


def action(name):
    return importlib.import_module(f"ansible_collections.gh200.inference.plugins.action.{name}").ActionModule


def comparable(options, nested):
    """What both a SPEC and a documentation have; `nested` is the word for options of an option."""
    return {
        name: {key: option.get(key, value) for key, value in DEFAULTS.items()}
        | {"options": comparable(option.get(nested) or {}, nested)}
        for name, option in options.items()
    }


def test_there_is_an_action_for_each_module_and_a_module_for_each_action():
    assert MODULES and sorted(path.stem for path in (PLUGINS / "action").glob("lambda_*.py")) == MODULES


def test_the_action_group_has_each_of_them_in_order():
    runtime = yaml.safe_load((PLUGINS.parent / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["action_groups"]["lambda"] == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_options_are_documented_as_they_are_taken(name):
    module = action(name)
    assert issubclass(module, LambdaAction)
    assert comparable(documentation(name)["options"], "suboptions") == comparable(
        {**CONNECTION, **module.SPEC}, "options"
    )


@pytest.mark.parametrize("name", MODULES)
def test_attributes_say_how_it_behaves_and_where_it_runs(name):
    attributes = documentation(name)["attributes"]
    assert {
        "action",
        "async",
        "delegation",
        "action_group",
        "check_mode",
        "diff_mode",
        "idempotent",
        "platform",
    } <= set(attributes)
    assert all(attribute["description"] and attribute["support"] for attribute in attributes.values())
    assert {key: attributes[key]["support"] for key in ("action", "async", "delegation")} == {
        "action": "full",
        "async": "none",
        "delegation": "none",
    }
    assert not action(name)._supports_async and not action(name)._requires_connection
    assert (
        attributes["action_group"]["membership"] == ["gh200.inference.lambda"]
        and attributes["check_mode"]["support"] == "full"
    )


@pytest.mark.parametrize("name", MODULES)
def test_secrets_are_marked(name):
    assert {option for option, spec in {**CONNECTION, **action(name).SPEC}.items() if spec.get("no_log")} == {"api_key"}


def test_the_inventory_takes_the_same_options_of_a_connection():
    fragment = Fragments().get("gh200.inference.lambda_cloud")
    documented = yaml.safe_load(fragment.PLUGIN)["options"]
    assert {name: option.get("default") for name, option in documented.items()} == {
        name: option.get("default") for name, option in CONNECTION.items()
    }
    assert {name: [env["name"] for env in option.get("env", [])] for name, option in documented.items()} == {
        name: option.get("fallback", (None, []))[1] for name, option in CONNECTION.items()
    }
