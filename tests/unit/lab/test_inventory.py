# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory that the lab writes: values that the collection knows, and nothing left of them at the end."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.gh200.inference.plugins.doc_fragments.lambda_cloud import ModuleDocFragment
from ansible_collections.gh200.inference.plugins.inventory import lambda_cloud

from lab import config, inventory

ENGINE = {"vllm_build_device": "cpu"}


@pytest.fixture(name="paths")
def own_paths(tmp_path, monkeypatch):
    """Folders of a lab whose inventory is not the real one."""
    monkeypatch.setattr(config, "REPOSITORY", tmp_path / "repository")
    return config.Paths(tmp_path / "lab")


def read(path):
    """Content of a file of YAML."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_inventory_names_the_plugin_and_the_values(paths):
    folder = inventory.write(paths, "r1", 4, ENGINE)
    source, variables = read(folder / "lambda_cloud.yml"), read(folder / "group_vars" / "all.yml")
    assert folder == config.REPOSITORY / "inventory" / "lab"
    assert source["plugin"] == "gh200.inference.lambda_cloud" and source["fleet"] == "r1"
    assert (variables["gh200_size"], variables["gh200_fleet"], variables["vllm_build_device"]) == (4, "r1", "cpu")
    assert (
        variables["gh200_lambda"]["api_url"] == source["api_url"]
        and variables["gh200_state_dir"] == source["state_dir"]
    )


def test_the_key_is_named_by_its_file_and_never_written(paths):
    paths.root.mkdir(parents=True)
    paths.lambda_key.write_text("secret_planted", encoding="utf-8")
    folder = inventory.write(paths, "r1", 1, ENGINE)
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.yml")]
    assert len(texts) == 2 and "secret_planted" not in "".join(texts) and str(paths.lambda_key) in texts[0]


def test_the_plugin_and_the_role_know_every_name(paths):
    options = [yaml.safe_load(text)["options"] for text in (lambda_cloud.DOCUMENTATION, ModuleDocFragment.PLUGIN)]
    assert set(inventory.source(paths, "r1")) <= {"compose"}.union(*options)
    specs = yaml.safe_load(
        (config.Path(inventory.__file__).parents[1] / "roles/gh200/meta/argument_specs.yml").read_text(encoding="utf-8")
    )
    shared = set(specs["argument_specs"]["main"]["options"])
    assert {name for name in inventory.variables(paths, "r1", 4, {}) if name.startswith("gh200_")} <= shared


def test_another_fleet_has_a_folder_of_its_own(paths):
    assert inventory.write(paths, "r2", 1, ENGINE).name == "lab-r2"


def test_removing_leaves_what_others_wrote(paths):
    folder = inventory.write(paths, "r1", 1, ENGINE)
    (folder / "mine.yml").write_text("all: {}\n", encoding="utf-8")
    inventory.remove(folder)
    assert [path.name for path in folder.iterdir()] == ["mine.yml"]
    (folder / "mine.yml").unlink()
    inventory.remove(folder)
    inventory.remove(folder)
    assert not folder.exists()
