# SPDX-License-Identifier: GPL-3.0-or-later
"""What an inventory says under a shared name, gh200_*, reaches each role that looks it up, and a change of one thing
reaches all that must know.
"""

from __future__ import annotations

import json
import re

import pytest
import yaml

from tests.unit.playbooks.stand_in import HEAD, REPOSITORY, ROLES, WORKER, arrivals, options

PLAYBOOKS = ["prepare", "build", "models", "cluster", "serve", "load_test"]
# A play says these, and no inventory; the size is only compared.
OF_A_PLAY = {"gh200_check_fail", "gh200_downloads_state", "gh200_rotate_key", "gh200_size", "gh200_stopped"}
SHARED = {
    **{
        f"gh200_{name}": f"own-{name}"
        for name in (
            "user",
            "hub_endpoint",
            "hub_token",
            "served_name",
            "revision",
            "layer_partition",
            "reasoning_parser",
        )
    },
    **{
        f"gh200_{name}": f"/own/{name}"
        for name in (
            "venv",
            "home",
            "state_dir",
            "share",
            "share_record",
            "wheel_cache",
            "model_dir",
            "api_key_file",
            "python",
        )
    },
    "gh200_head": WORKER,
    "gh200_hosts": [HEAD, WORKER],
    # Each host has its own, which begins like this.
    "gh200_address": "192.0.2.",
    "gh200_nodes": {HEAD: "198.51.100.1", WORKER: "198.51.100.2"},
    "gh200_share_paths": ["/own/share_paths"],
    "gh200_download_files": "all",
    "gh200_download_source": "peers",
    "gh200_downloads": [{"repository": "own/downloads", "revision": "main", "path": "/own/downloads"}],
    "gh200_tensor_parallel": 3,
    "gh200_pipeline_parallel": 7,
    "gh200_gpu_memory_utilization": 0.77,
    "gh200_price_per_gpu_hour": 2.25,
}
TOLD = re.compile(r"lookup\('ansible\.builtin\.vars', '(gh200_\w+)'")
MORE = {
    "vllm_serve": {
        "asked": "{{ __vllm_serve_questions.ranks.address }}",
        "kept": "{{ __vllm_serve_files[__vllm_serve_config_root ~ '/ray_non_carry_over_env_vars.json'] }}",
    },
    "ray_cluster": {"unit": "{{ lookup('ansible.builtin.template', 'ray.service.j2') }}"},
}


def defaults(role):
    files = [
        REPOSITORY / "roles" / role / "defaults/main.yml",
        *sorted((REPOSITORY / "roles" / role / "defaults").glob("main/*.yml")),
    ]
    return {
        name: value
        for file in files
        if file.exists()
        for name, value in yaml.safe_load(file.read_text(encoding="utf-8")).items()
    }


def followers():
    """(role, its variable, the shared name that it looks up)."""
    for role in ROLES:
        for name, value in defaults(role).items():
            for shared in TOLD.findall(json.dumps(value)):
                if shared not in OF_A_PLAY:
                    yield role, name, shared


@pytest.fixture(name="arrived", scope="module")
def what_arrived(tmp_path_factory):
    """What arrived of an inventory that has SHARED and another port of Ray."""
    folder = tmp_path_factory.mktemp("shared")
    # A key that is there is read, and none is made.
    key = folder / "key"
    key.write_text("own-key\n", encoding="utf-8")
    variables = SHARED | {"gh200_api_key_file": str(key), "ray_cluster_port": 6380}
    return arrivals(folder, PLAYBOOKS, variables, MORE), variables


@pytest.mark.parametrize(("role", "name", "shared"), list(followers()))
def test_a_shared_name_reaches_the_role(arrived, role, name, shared):
    lines, variables = arrived
    shown = [line["values"][name] for line in lines if line["arrived"] == role]
    assert shown
    for value in shown:
        assert json.dumps(variables[shared]).strip('"') in json.dumps(value)


@pytest.mark.parametrize("role", ROLES)
def test_the_specification_tells_which_shared_name_a_default_follows(role):
    lost = [
        name
        for name, value in defaults(role).items()
        for shared in TOLD.findall(json.dumps(value))
        if role != "gh200" and shared not in options(role)[name]["description"]
    ]
    assert lost == []


def test_the_key_of_the_endpoint_is_that_of_its_file(arrived):
    assert {line["values"]["vllm_serve_api_key"] for line in arrived[0] if line["arrived"] == "vllm_serve"} == {
        "own-key"
    }


def test_the_key_is_named_among_what_an_engine_keeps_from_its_ranks(arrived):
    kept = [line["values"]["kept"] for line in arrived[0] if line["arrived"] == "vllm_serve"]
    assert kept and all("VLLM_API_KEY" in json.dumps(text) for text in kept)


def test_another_port_of_ray_reaches_ray_vllm_and_its_health_check(arrived):
    serve = next(line["values"] for line in arrived[0] if line["arrived"] == "vllm_serve")
    assert (serve["vllm_serve_ray_address"], serve["asked"]) == ("198.51.100.1:6380", "198.51.100.1:6380")
    units = [line["values"]["unit"] for line in arrived[0] if line["arrived"] == "ray_cluster"]
    assert units and all(":6380 " in unit or "--port=6380 " in unit for unit in units)


def test_vllm_and_ray_have_the_same_default_port():
    assert f"default={defaults('ray_cluster')['ray_cluster_port']})" in defaults("vllm_serve")["vllm_serve_ray_address"]


def test_downloads_begin_in_one_playbook_and_end_in_another(arrived):
    states = {
        line["playbook"]: line["values"]["hf_models_state"] for line in arrived[0] if line["arrived"] == "hf_models"
    }
    assert states == {"prepare": "started", "models": "finished"}


def test_no_folder_takes_the_name_of_a_playbook():
    """Ansible would open it in the place of gh200.inference.NAME."""
    playbooks = REPOSITORY / "playbooks"
    assert not [path for path in playbooks.glob("*.yml") if path.with_suffix("").exists()]
