# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory that makes the same playbooks run in the lab: only values, no code."""

from __future__ import annotations

import platform
from pathlib import Path

import yaml

from .config import API_PORT, FILESYSTEM, GATEWAY, HUB_PORT, PRIVATE, REGION, SSH_KEY_NAME, Paths

HEAD = (
    "# SPDX-License-Identifier: GPL-3.0-or-later\n# Written by `make lab`; "
    "your changes are lost at the next one.\n---\n"
)
HUB_URL = f"http://{GATEWAY}:{HUB_PORT}"
REQUEST_INTERVAL, LAUNCH_INTERVAL = 0.02, 0.2


def write(paths: Paths, fleet: str, nodes: int, engine: dict) -> Path:
    """The inventory of a fleet. `engine` has the values of the engine, see lab.engine."""
    folder = paths.inventory(fleet)
    _yaml(folder / "lambda_cloud.yml", source(paths, fleet))
    _yaml(folder / "group_vars" / "all.yml", variables(paths, fleet, nodes, engine))
    return folder


def remove(folder: Path) -> None:
    """Only what `write` wrote."""
    for path in (folder / "group_vars" / "all.yml", folder / "lambda_cloud.yml"):
        path.unlink(missing_ok=True)
    for empty in (folder / "group_vars", folder):
        if empty.exists() and not any(empty.iterdir()):
            empty.rmdir()


def source(paths: Paths, fleet: str) -> dict:
    """Settings of the inventory plugin."""
    return {
        "plugin": "gh200.inference.lambda_cloud",
        **account(paths),
        "fleet": fleet,
        "state_dir": str(paths.state),
        "compose": {"gh200_address": "lambda_private_ip"},
    }


def account(paths: Paths) -> dict:
    """Where the API is, and how fast it may be asked."""
    return {
        "api_url": f"http://127.0.0.1:{API_PORT}/api/v1",
        "api_key_file": str(paths.lambda_key),
        "request_interval": REQUEST_INTERVAL,
        "launch_interval": LAUNCH_INTERVAL,
    }


def variables(paths: Paths, fleet: str, nodes: int, engine: dict) -> dict:
    """Variables of all hosts."""
    return {
        "ansible_user": "ubuntu",
        "ansible_ssh_private_key_file": str(paths.ssh_key),
        "ansible_python_interpreter": "/usr/bin/python3",
        "gh200_lambda": account(paths),
        "gh200_poll_interval": 0.5,
        "gh200_fleet": fleet,
        "gh200_size": nodes,
        # Nodes have that of this machine, whatever their type says.
        "gh200_architecture": platform.machine(),
        "gh200_region": REGION,
        "gh200_ssh_key_name": SSH_KEY_NAME,
        "gh200_filesystem": FILESYSTEM,
        "gh200_state_dir": str(paths.state),
        "gh200_wheel_cache": str(paths.cache / "wheelhouse"),
        "gh200_api_key_file": str(paths.api_key),
        "gh200_hub_endpoint": HUB_URL,
        # This machine asks the endpoint from outside of the fleet.
        "ray_cluster_open": {8000: [f"{PRIVATE}.1"]},
        # All nodes load torch, and sum, on the cores of one machine.
        "collective_check_timeout": max(60, 15 * nodes),
        **engine,
    }


def _yaml(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + yaml.safe_dump(content, sort_keys=False, width=140), encoding="utf-8")
