# SPDX-License-Identifier: GPL-3.0-or-later
"""plan.yml as people run it, and provision.yml where the model cannot fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.models import TINY

REPOSITORY = Path(__file__).resolve().parents[2]
REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(name="hub")
def model_hub():
    """A hub that knows every revision and has hub.config for it; hub.asked are the requests with their credentials."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            hub.asked.append((self.path, self.headers.get("Authorization")))
            content = json.dumps(hub.config if self.path.endswith("/config.json") else {"sha": REVISION}).encode()
            self.send_response(hub.status if self.path.endswith("/config.json") else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    hub = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.asked, hub.config, hub.status = [], TINY, 200
    hub.url = f"http://127.0.0.1:{hub.server_port}"
    threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield hub
    hub.shutdown()
    hub.server_close()


@pytest.fixture(name="run")
def run_playbook(tmp_path):
    """run(playbook, *arguments, **variables): exit status and output."""
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("all: {children: {head: {hosts: {}}, workers: {hosts: {}}}}\n", encoding="utf-8")

    def run(name, *arguments, **variables):
        settings = {"gh200_state_dir": str(tmp_path / "state"), **variables}
        command = [
            Path(sys.executable).parent / "ansible-playbook",
            *(() if "-i" in arguments else ("-i", inventory)),
            f"playbooks/{name}.yml",
            "-e",
            json.dumps(settings),
            *arguments,
        ]
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            env=environment,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in done.stdout + done.stderr
        return done.returncode, done.stdout + done.stderr

    return run


def own(hub, revision=REVISION):
    """A model that only the hub describes."""
    models = {"mine": {"repository": "me/mine", "revision": revision, "served_name": "mine"}}
    return {
        "gh200_model": "mine",
        "gh200_models": models,
        "gh200_hub_endpoint": hub.url,
        "gh200_hub_token": "hf_planted",
    }


def test_a_plan_needs_neither_key_nor_network(run):
    status, output = run("plan", "-i", "localhost,", gh200_size=16, gh200_price_per_gpu_hour=2.29)
    assert status == 0
    assert "Take TP4 x PP4 on 16 of 16 GPUs, layers 16,15,15,15" in output and "$36.64/h" in output


@pytest.mark.parametrize(
    ("sizes", "advice"),
    [
        ({"gh200_tensor_parallel": 8}, "Take TP8 x PP2 on 16 of 16 GPUs, layers 32,29"),
        ({"gh200_pipeline_parallel": 8}, "Take TP2 x PP8 on 16 of 16 GPUs"),
        ({"gh200_layer_partition": "15,15,15,16"}, "Take TP4 x PP4 on 16 of 16 GPUs, layers 15,15,15,16"),
        ({"gh200_tensor_parallel": 32}, "TP32 is not legal for this model"),
        ({"vllm_serve_max_model_len": 12345}, "and 12,345 are asked for"),
        ({"vllm_serve_max_num_seqs": 7}, "28 such requests run at once"),
        ({"gh200_gpu_memory_utilization": 0.4}, "does not fit on 16 GPUs of 95.6 GiB at utilisation 0.4"),
        ({"gh200_gpu_memory_mib": 143771}, "Of each GPU's 140.4 GiB"),
    ],
)
def test_what_somebody_sets_is_planned_for(run, sizes, advice):
    status, output = run("plan", gh200_size=16, **sizes)
    assert status == 0 and advice in output


def test_what_an_inventory_sets_is_planned_for_too(run, tmp_path):
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text("gh200_tensor_parallel: 8\n", encoding="utf-8")
    assert "Take TP8 x PP2" in run("plan", gh200_size=16)[1]


def test_nodes_are_shown_by_rank_where_there_are_some(run, hub, tmp_path):
    workers = {f"n{number}": {"gh200_address": f"10.0.0.{number}"} for number in (2, 3, 10)}
    groups = {"head": {"hosts": {"n5": {"gh200_address": "10.0.0.5"}}}, "workers": {"hosts": workers}}
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"children": groups}}), encoding="utf-8")
    output = run("plan", gh200_size=4, **own(hub))[1]
    placed = [
        "n5 (10.0.0.5): rank 0, stage 0",
        "n10 (10.0.0.10): rank 1, stage 0",
        "n2 (10.0.0.2): rank 2, stage 1",
        "n3 (10.0.0.3): rank 3, stage 1",
    ]
    assert [line for line in placed if line not in output] == []
    assert (
        "n10 (10.0.0.10): one that Ray may choose, or idle"
        in run("plan", gh200_size=4, gh200_tensor_parallel=1, gh200_pipeline_parallel=3, **own(hub))[1]
    )


def test_an_own_models_config_is_fetched_once(run, hub, tmp_path):
    status, output = run("plan", gh200_size=2, **own(hub))
    assert status == 0 and "Take TP2 x PP1 on 2 of 2 GPUs" in output and "hf_planted" not in output
    assert hub.asked == [(f"/me/mine/resolve/{REVISION}/config.json", "Bearer hf_planted")]
    assert json.loads((tmp_path / f"state/models/me--mine@{REVISION}.json").read_text(encoding="utf-8")) == TINY
    status, output = run("plan", gh200_size=4, **own(hub))
    assert status == 0 and "Take TP2 x PP2" in output and "changed=0" in output
    assert len(hub.asked) == 1


def test_a_branch_is_asked_for_again(run, hub):
    assert "Take TP1 x PP1" in run("plan", gh200_size=1, **own(hub, "main"))[1]
    hub.config = TINY | {"architectures": ["LlamaForCausalLM"]}
    status, output = run("plan", gh200_size=1, **own(hub, "main"))
    assert status != 0 and "The architecture LlamaForCausalLM is not known here" in output


def test_check_mode_plans_too(run, hub):
    status, output = run("plan", "--check", gh200_size=2, **own(hub))
    assert status == 0 and "Take TP2 x PP1" in output


def test_a_hub_without_the_config_is_one_sentence(run, hub):
    hub.status = 404
    status, output = run("plan", gh200_size=2, **own(hub))
    assert status != 0 and f"answers 404 for config.json of me/mine at {REVISION}" in output


def test_a_hub_that_cannot_be_reached_is_one_sentence(run, hub):
    status, output = run("plan", gh200_size=2, **own(hub) | {"gh200_hub_endpoint": "http://127.0.0.1:1"})
    assert status != 0 and "http://127.0.0.1:1 cannot be asked for config.json of me/mine" in output
    assert "Connection refused" in output and "check gh200_hub_endpoint" in output and "-1" not in output


def test_an_unknown_model_is_one_sentence(run):
    status, output = run("plan", gh200_model="r2")
    assert status != 0 and "gh200_model is r2, and gh200_models has r1, v3" in output


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"gh200_size": 4}, "does not fit on 4 GPUs of 95.6 GiB at utilisation 0.9"),
        ({"gh200_size": 8}, "What fits: utilisation 0.95"),
        ({"gh200_size": 0}, "The number of GPUs is 0"),
        ({"gh200_size": 16, "gh200_tensor_parallel": 3}, "TP3 is not legal"),
    ],
)
def test_what_cannot_fit_is_not_launched(run, cloud, hub, variables, sentence):
    status, output = run(
        "provision", gh200_lambda=cloud.options, gh200_hub_endpoint=hub.url, gh200_ssh_key_name="laptop", **variables
    )
    assert status != 0 and sentence in output and "Nothing was launched" in output
    assert cloud.calls() == []


def test_what_fits_goes_on_to_the_fleet(run, cloud, hub):
    options = {"gh200_lambda": cloud.options, "gh200_hub_endpoint": hub.url, "gh200_ssh_key_name": "laptop"}
    status, output = run("provision", "--check", gh200_size=16, **options)
    assert status == 0 and "TP4 x PP4 on 16 of 16 GPUs" in output
    assert "GET /instances" in cloud.calls()


def test_a_play_without_the_copy_says_what_to_run(run, hub, tmp_path):
    probe = tmp_path / "probe.yml"
    tasks = [
        {"ansible.builtin.import_role": {"name": "gh200.inference.gh200", "rolespec_validate": False}},
        {"ansible.builtin.debug": {"msg": "{{ gh200_tensor_parallel }}"}},
    ]
    probe.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    status, output = run(os.path.relpath(probe.with_suffix(""), REPOSITORY / "playbooks"), gh200_size=2, **own(hub))
    assert status != 0 and "playbooks/plan.yml and playbooks/provision.yml fetch it, run one of them" in output
    assert hub.asked == []
