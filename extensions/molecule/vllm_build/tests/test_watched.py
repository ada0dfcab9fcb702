# SPDX-License-Identifier: GPL-3.0-or-later
"""While the head makes the wheels, what was begun on the workers is watched: nobody learns of it an hour late."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import testinfra

PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
INVENTORY = PROJECT / ".lab/molecule/hosts.yml"
PLAY = Path(__file__).resolve().parent.parent / "plays/watched.yml"
HEAD, WORKER = "molecule-00", "molecule-01"


def on(node):
    """The node, as root."""
    return testinfra.get_host(f"ansible://{node}", ansible_inventory=str(INVENTORY), sudo=True)


@pytest.fixture(name="said")
def output_of_the_play():
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", INVENTORY, PLAY]
    environment = {**os.environ, "ANSIBLE_FORCE_COLOR": "0"}
    ran = subprocess.run(
        command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode != 0
    yield ran.stdout
    for node in (HEAD, WORKER):
        for job in ("given-wheel", "molecule-download"):
            on(node).run(f"systemctl stop gh200-job-{job}; systemctl reset-failed gh200-job-{job}")


def test_a_download_that_breaks_on_a_worker_ends_the_waiting_for_the_wheels(said):
    assert "The job molecule-download failed" in said and "Its last line: The hub is gone" in said
    assert f"{HEAD} does not wait for Fetch the wheels any more, since {WORKER} has failed" in said
    assert "Traceback" not in said
    assert on(HEAD).run("systemctl is-active gh200-job-given-wheel").stdout.strip() == "active"
