# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab runs beside nodes, the API and the hub, and the keys that they go by."""

from __future__ import annotations

import hashlib
import json
import secrets
import urllib.error
import urllib.request
from pathlib import Path

from . import inventory, shell
from .api.config import ApiConfig
from .config import API_PORT, FILESYSTEM, GATEWAY, HUB_PORT, REGION, REPOSITORY, SSH_KEY_NAME, Paths
from .nodes import flavour
from .processes import Daemon


def keys(paths: Paths) -> None:
    """The account's API key and the user's ssh key, made once."""
    if not paths.lambda_key.exists():
        secret(paths.lambda_key, f"secret_lab_{secrets.token_hex(16)}.{secrets.token_urlsafe(24)}\n")
    if not paths.ssh_key.exists():
        paths.ssh_key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shell.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", SSH_KEY_NAME, "-f", paths.ssh_key)


def secret(path: Path, text: str) -> None:
    """A file that only its owner reads."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def api(paths: Paths) -> Daemon:
    """The cloud's API with the account of this lab."""
    config = paths.run / "api-config.json"
    if paths.lambda_key.exists() and paths.ssh_key.exists():
        settings = ApiConfig(
            api_keys=[paths.lambda_key.read_text(encoding="utf-8").strip()],
            # The clients keep to these paces; the API refuses what is much faster.
            request_interval=inventory.REQUEST_INTERVAL / 2,
            launch_interval=inventory.LAUNCH_INTERVAL / 2,
            boot_seconds=0,
            address_seconds=0,
            terminate_seconds=0.5,
            region=REGION,
            capacity={"gpu_1x_gh200": [REGION]},
            ssh_keys={SSH_KEY_NAME: paths.ssh_key.with_suffix(".pub").read_text(encoding="utf-8").strip()},
            filesystems={FILESYSTEM: REGION},
            families=flavour.names(paths),
            share=str(paths.share),
            state_file=str(paths.run / "account.json"),
        )
        paths.run.mkdir(parents=True, exist_ok=True)
        config.touch(mode=0o600)
        config.write_text(settings.dump(), encoding="utf-8")
    arguments = ["lab.api", "--config", str(config), "--port", str(API_PORT)]
    code = [REPOSITORY / "lab" / name for name in ("api", "nodes")]
    return Daemon(paths, "api", arguments, stamp(arguments, code, config, REPOSITORY / "lab" / "serving.py"))


def hub(paths: Paths) -> Daemon:
    """The model hub, where the nodes reach it."""
    arguments = ["lab.hub", "--bind", GATEWAY, "--port", str(HUB_PORT), "--root", str(paths.hub)]
    return Daemon(paths, "hub", arguments, stamp(arguments, [REPOSITORY / "lab" / "hub"]))


def stamp(arguments: list[str], code: list[Path], *files: Path) -> str:
    """Changes when the daemon would do something else."""
    state = hashlib.sha256(json.dumps(arguments).encode())
    for path in [*(path for folder in code for path in sorted(folder.rglob("*.py"))), *files]:
        if path.exists():
            state.update(path.read_bytes())
    return state.hexdigest()


def answers(url: str) -> bool:
    """Whether an HTTP server is there, whatever it says."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
