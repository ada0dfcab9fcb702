# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub that counts, a model on it, and nginx without its package's service."""

from __future__ import annotations

import os
import stat
import subprocess

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


@pytest.fixture(name="swarm")
def nodes_in_folders(tmp_path, hub, root, binaries):
    """No nodes yet."""
    swarm = Swarm(tmp_path, hub.url, root[1], binaries)
    yield swarm
    for node in swarm.nodes:
        if node.process and node.process.poll() is None:
            node.kill()
