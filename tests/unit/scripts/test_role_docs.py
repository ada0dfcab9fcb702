# SPDX-License-Identifier: GPL-3.0-or-later
"""Role READMEs: the variables are those of the argument specs, and the example is one that Ansible would run."""

from __future__ import annotations

import re

import pytest
import yaml

from scripts import role_docs

ROLES = sorted(path.name for path in role_docs.ROLES.iterdir() if (path / "meta").is_dir())


def specs(role: str) -> dict:
    """Entry points of a role."""
    text = (role_docs.ROLES / role / "meta/argument_specs.yml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["argument_specs"]


@pytest.mark.parametrize("role", ROLES)
def test_a_readme_has_the_variables_of_today(role):
    text = (role_docs.ROLES / role / "README.md").read_text(encoding="utf-8")
    assert role_docs.page(text, specs(role)) == text
    for spec in specs(role).values():
        assert all(f"| `{name}` |" in text for name in spec.get("options") or {})


@pytest.mark.parametrize("role", ROLES)
def test_an_example_sets_only_variables_that_there_are(role):
    text = (role_docs.ROLES / role / "README.md").read_text(encoding="utf-8")
    example, *more = re.findall(r"^```yaml\n(.*?)^```", text, re.M | re.S)
    (play,) = yaml.safe_load(example)
    assert len(example.splitlines()) <= 12
    roles = play.get("roles") or [{"role": task["ansible.builtin.import_role"]["name"]} for task in play["tasks"][:1]]
    assert [item["role"] for item in roles] == [f"gh200.inference.{role}"]
    declared = {name for spec in specs(role).values() for name in spec.get("options") or {}}
    assert set(roles[0].get("vars", {})) <= declared
    # After the play come variables of an inventory, of this role or of those that go with it.
    everywhere = {name for each in ROLES for spec in specs(each).values() for name in spec.get("options") or {}}
    assert {name for block in more for name in yaml.safe_load(block)} <= everywhere


def test_markup_of_ansible_becomes_markdown():
    told = ["Starts C(vllm serve),", "by M(gh200.inference.systemd_unit); V(a|b)."]
    assert role_docs.plain(told) == "Starts `vllm serve`, by `gh200.inference.systemd_unit`; `a\\|b`."


def test_each_option_says_type_default_and_choices():
    options = {
        "one": {"type": "list", "elements": "str", "default": ["a"], "description": "First."},
        "two": {"required": True, "choices": ["x", "y"], "description": "Second."},
    }
    assert role_docs.table({"main": {"options": options}}).splitlines()[2:] == [
        '| `one` | list of str | `["a"]` | First. |',
        "| `two` | str | required | Second. One of `x`, `y`. |",
    ]


def test_a_page_without_markers_is_refused():
    with pytest.raises(ValueError, match="it lacks the lines"):
        role_docs.page("# A role\n", {})


def test_check_names_what_is_old_and_writes_nothing(tmp_path, monkeypatch, capsys):
    (tmp_path / "roles/one/meta").mkdir(parents=True)
    specs_file = tmp_path / "roles/one/meta/argument_specs.yml"
    specs_file.write_text("argument_specs: {main: {options: {}}}\n", encoding="utf-8")
    readme = tmp_path / "roles/one/README.md"
    monkeypatch.setattr(role_docs, "ROLES", tmp_path / "roles")
    assert role_docs.main(check=True) == 1
    assert "roles/one/README.md: No such file or directory." in capsys.readouterr().err
    readme.write_text(f"# one\n{role_docs.BEGIN}\n{role_docs.END}\n", encoding="utf-8")
    assert role_docs.main(check=True) == 1 and "| variable |" not in readme.read_text(encoding="utf-8")
    assert "roles/one/README.md is older than its argument_specs.yml" in capsys.readouterr().err
    assert role_docs.main(check=False) == 0 == role_docs.main(check=True)
