# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands do: `up`, `down`, `status` and `summary`."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import yaml

from . import cuda, engine, inventory, limits, model, preflight, reference, torch_source
from .config import API_PORT, GATEWAY, HUB_PORT, REPOSITORY, Paths
from .engine import index, lane
from .errors import LabError
from .nodes.driver import NodeDriver
from .services import answers, api, hub, keys

Say = Callable[[str], None]


def up(paths: Paths, fleet: str, nodes: int, say: Say, lane_name: str = "cpu") -> None:
    """Each step does nothing where it has been done. `lane_name` is one of LANES."""
    preflight.check(paths.root, nodes, serves=lane_name != "light")
    limits.widen(nodes, paths.run / "limits")
    keys(paths)
    NodeDriver(paths).prepare(say)
    values = LANES[lane_name](paths, say)
    for daemon, address, variable in ((api(paths), "127.0.0.1", "LAB_API_PORT"), (hub(paths), GATEWAY, "LAB_HUB_PORT")):
        port = API_PORT if daemon.name == "api" else HUB_PORT
        if not daemon.is_running():
            preflight.require_free(address, port, variable)
        if daemon.ensure(lambda address=address, port=port: answers(f"http://{address}:{port}/")):
            say(f"{daemon.name} listens on {address}:{port}")
    folder = inventory.write(paths, fleet, nodes, values)
    _note_inventory(paths, folder)


def engine_values(paths: Paths, say: Say) -> dict:
    """Variables of the CPU lane and of the model that the hub has."""
    prepared = engine.prepare(paths, say)
    tiny = {"repository": model.REPOSITORY, "revision": prepared["model_revision"], "served_name": model.SERVED_NAME}
    values = lane.lane(prepared, inventory.HUB_URL, torch_source.torch_index())
    return values | {"gh200_model": "tiny", "gh200_models": {"tiny": tiny}} | canary(paths, say)


def canary(paths: Paths, say: Say) -> dict:
    """What the endpoint must know, and how well it must foretell a passage.

    In float32 every shape agrees within 0.00001.
    """
    expected = reference.reference(paths, lane.ROUTING, say)
    return {
        # Some capitals, sums and sentences: the tests ask for all.
        "vllm_serve_facts": expected["facts"][::7],
        "vllm_serve_passage": expected["passage"],
        "vllm_serve_fingerprint": expected["fingerprint"],
        "vllm_serve_fingerprint_tolerance": 0.001,
    }


def cuda_values(paths: Paths, say: Say) -> dict:
    """Variables of the CUDA lane, and of the same model, for preflight asks for one."""
    shared = {name: value for name, value in engine_values(paths, say).items() if name.startswith("gh200_")}
    return shared | cuda.prepare(paths, say)


def index_values(paths: Paths, say: Say) -> dict:
    """Variables of the index lane, which serves the same model on the same nodes."""
    common = {name: value for name, value in engine_values(paths, say).items() if not name.startswith("vllm_build_")}
    more = {"vllm_build_torch_index": torch_source.torch_index()}
    return common | more | index.prepare(paths, inventory.HUB_URL, say)


def light_values(paths: Paths, say: Say) -> dict:
    """Variables of nodes that get no model and no engine, and of Python what the image has.

    What is planned from the model's shape is not asked for, so that their number is free.
    """
    return {
        "gh200_downloads": [],
        "gh200_tensor_parallel": 1,
        "gh200_pipeline_parallel": 1,
        "python311_packages": ["python3.11"],
        "vllm_build_device": "cpu",
    }


LANES = {"cpu": engine_values, "cuda": cuda_values, "index": index_values, "light": light_values}


def down(paths: Paths, say: Say) -> list[str]:
    """Daemons first, so that nothing is launched meanwhile; returns what is left."""
    for daemon in (api(paths), hub(paths)):
        if daemon.stop():
            say(f"stopped the {daemon.name}")
    left = NodeDriver(paths).teardown(say)
    if not left:
        limits.restore(paths.run / "limits")
        for written in _noted_inventories(paths):
            inventory.remove(Path(written))
        for folder in (paths.run, paths.share, paths.state):
            if folder.exists():
                shutil.rmtree(folder)
        paths.api_key.unlink(missing_ok=True)
    return left


def _noted_inventories(paths: Paths) -> list[str]:
    """Inventories that this lab has written."""
    try:
        noted = json.loads((paths.run / "inventories.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [folder for folder in noted if isinstance(folder, str)] if isinstance(noted, list) else []


def _note_inventory(paths: Paths, folder: Path) -> None:
    (paths.run / "inventories.json").write_text(
        json.dumps(sorted({*_noted_inventories(paths), str(folder)})), encoding="utf-8"
    )


def status(paths: Paths) -> list[str]:
    """Lines for people."""
    lines = [
        f"{daemon.name}: {'running' if daemon.is_running() else 'not running'}, log {daemon.log}"
        for daemon in (api(paths), hub(paths))
    ]
    driver = NodeDriver(paths)
    for node_id in driver.ids():
        node = driver.get(node_id)
        if node:
            lines.append(f"{node.hostname}: {driver.status(node_id)}, {node.ip}, {node.private_ip}")
        else:
            lines.append(
                f"{node_id}: unknown, its record {driver.record(node_id)} cannot be read; `make lab-down` removes it"
            )
    return lines


def summary(paths: Paths) -> list[str]:
    """What the playbooks made, from the API's instances and the inventory."""
    try:
        values = yaml.safe_load((paths.inventory() / "group_vars" / "all.yml").read_text(encoding="utf-8"))
    except OSError as error:
        raise LabError("There is no lab: `make lab` makes one.") from error
    head = f"{values['gh200_fleet']}-00"
    nodes = sorted(instances(paths), key=lambda item: item["hostname"])
    address = next((item["private_ip"] for item in nodes if item["hostname"] == head), None)
    if not address:
        raise LabError(f"The lab has no node {head}: `make lab` launches it.")
    served = values["gh200_models"][values["gh200_model"]]["served_name"]
    where = paths.inventory().relative_to(REPOSITORY)
    try:
        key_file = paths.api_key.relative_to(Path.cwd())
    except ValueError:
        key_file = paths.api_key
    return [
        "",
        answer(f"http://{address}:8000/v1", served, paths.api_key),
        f"nodes: {', '.join(item['hostname'] for item in nodes)} ({len(nodes)})",
        f"again: ansible-playbook -i {where} site.yml",
        f"end:   ansible-playbook -i {where} playbooks/teardown.yml, then make lab-down",
        f"endpoint: http://{address}:8000/v1 model: {served} key-file: {key_file}",
    ]


def answer(url: str, model: str, key_file: Path, prompt: str = "The capital of France is") -> str:
    """The prompt and how the endpoint completes it."""
    body = json.dumps({"model": model, "prompt": prompt, "max_tokens": 8, "temperature": 0}).encode()
    request = urllib.request.Request(f"{url}/completions", body, {"Content-Type": "application/json"})
    try:
        request.add_header("Authorization", f"Bearer {key_file.read_text(encoding='utf-8').strip()}")
        with urllib.request.urlopen(request, timeout=60) as got:
            return prompt + json.load(got)["choices"][0]["text"]
    except OSError as error:
        raise LabError(
            f"The endpoint {url} does not answer ({error}): `ansible-playbook site.yml` starts it."
        ) from error


def instances(paths: Paths) -> list[dict]:
    """Asked of the API itself, with a pause where it says that we are too fast."""
    request = urllib.request.Request(f"http://127.0.0.1:{API_PORT}/api/v1/instances")
    request.add_header("Authorization", f"Bearer {paths.lambda_key.read_text(encoding='utf-8').strip()}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [item for item in json.load(answer)["data"] if item["status"] == "active"]
    except urllib.error.URLError as error:
        raise LabError(f"The lab's API does not answer ({error.reason}): `make lab` starts it.") from error
