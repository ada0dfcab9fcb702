# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub that counts, a model on it, and nginx without its package's service."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lab import serving

from .swarm import REPOSITORY, ByName, Swarm, write_model

WRAPPER = """\
#!/bin/sh
# The role's own configuration, with an access log for the test to count by.
sed -i "s|access_log off|access_log $4/access.log|" "$2"
exec {nginx} "$@"
"""


@pytest.fixture(name="binaries", scope="session")
def nginx_folder(tmp_path_factory):
    """A folder with nginx that logs what it sends."""
    folder = tmp_path_factory.mktemp("bin")
    nginx = subprocess.run(
        ["bash", REPOSITORY / "scripts/nginx.sh"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.strip()
    wrapper = folder / "nginx"
    wrapper.write_text(WRAPPER.format(nginx=nginx), encoding="utf-8")
    wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    assert os.access(nginx, os.X_OK)
    return folder


@pytest.fixture(name="root", scope="session")
def hub_root(tmp_path_factory):
    """(folder of the hub, revision of the model in it)"""
    root = tmp_path_factory.mktemp("hub")
    return root, write_model(root)


@pytest.fixture(name="hub")
def counting_hub(root):
    """The hub with fresh counts and no faults: its application; .url is where it is."""
    app = ByName(root[0])
    with serving.in_thread(app) as app.url:
        yield app


@pytest.fixture(name="tool", scope="session")
def downloader():
    """An environment made of the role's requirements and its program; the packages are kept."""
    files = REPOSITORY / "roles/hf_models/files"
    wanted = (files / "requirements.txt").read_bytes()
    folder = REPOSITORY / ".lab/cache" / f"downloader-{hashlib.sha256(wanted).hexdigest()[:12]}"
    pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    if not (folder / ".complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([*pip, "--require-hashes", "--requirement", files / "requirements.txt"], check=True)
        (folder / ".complete").touch()
    path = subprocess.run(
        [folder / "bin/python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (Path(path) / "hf_fetch.pth").write_text(f"{files}\n", encoding="utf-8")
    return folder


@pytest.fixture(name="swarm")
def nodes_in_folders(tmp_path, hub, root, binaries, tool):
    """No nodes yet."""
    swarm = Swarm(tmp_path, hub.url, root[1], binaries, tool)
    yield swarm
    for node in swarm.nodes:
        if node.process and node.process.poll() is None:
            node.kill()
