# SPDX-License-Identifier: GPL-3.0-or-later
"""Which layers each node fetches: those of the rank that vLLM gives it, as the plan has it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.gh200.inference.plugins.filter.serving_plan import serving_plan

DEFAULTS = Path(__file__).resolve().parents[4] / "roles/gh200/defaults/main"
VALUES = {
    name: value
    for file in ("model.yml", "plan.yml")
    for name, value in yaml.safe_load((DEFAULTS / file).read_text(encoding="utf-8")).items()
}
R1 = VALUES["gh200_models"]["r1"]["config"]
# As text 10.0.0.10 comes before 10.0.0.2, and the head before all.
NODES = {f"r1-{number:02d}": f"10.0.0.{number + 2}" for number in range(16)}


def trust(value):
    if isinstance(value, dict):
        return {name: trust(item) for name, item in value.items()}
    if isinstance(value, list):
        return [trust(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


@pytest.fixture(name="default")
def value_of_a_default():
    """default(name, nodes, size, **variables): its value on a fleet of r1-05 and others."""

    def default(name, nodes, size=16, **variables):
        given = {
            "gh200_nodes": nodes,
            "gh200_hosts": list(nodes),
            "gh200_head": "r1-05",
            "gh200_size": size,
            "inventory_hostname": "r1-05",
            "hostvars": {"r1-05": {}},
        }
        values = {key: trust(value) for key, value in VALUES.items()} | given | variables
        return Templar(DataLoader(), values).template(trust_as_template(f"{{{{ {name} }}}}"))

    return default


def test_each_node_has_the_layers_of_its_rank(default):
    plan = serving_plan(R1, 16, nodes=NODES, driver="r1-05")
    stages = [[stage["first_layer"], stage["last_layer"]] for stage in plan["stages"]]
    layers = default("gh200_layers", NODES)
    assert len(stages) == 4 and layers == {rank["address"]: stages[rank["stage"]] for rank in plan["ranks"]}
    assert default("gh200_downloads[0].layers", NODES) == layers


def test_while_nodes_are_missing_only_the_heads_layers_are_known(default):
    head = default("gh200_layers", {"r1-05": "10.0.0.7"})
    assert head == {"10.0.0.7": default("gh200_layers", NODES)["10.0.0.7"]}
    assert default("gh200_layers", {name: NODES[name] for name in ("r1-05", "r1-06")}) == head
    assert default("gh200_layers", {}) == {}


@pytest.mark.parametrize(
    ("shape", "files", "source"),
    [
        ((16, 4, 4), "stage", "peers"),
        ((16, 16, 1), "all", "peers"),
        ((4, 1, 4), "stage", "hub"),
        ((1, 1, 1), "all", "hub"),
    ],
)
def test_stages_and_peers_where_there_are_several(default, shape, files, source):
    size, tensor, pipeline = shape
    nodes = {"r1-05": "10.0.0.7"} | dict(list(NODES.items())[6 : 5 + size]) if size < 12 else NODES
    more = {"gh200_tensor_parallel": tensor, "gh200_pipeline_parallel": pipeline}
    assert default("[gh200_download_files, gh200_download_source]", nodes, size, **more) == [files, source]
