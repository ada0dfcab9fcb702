# SPDX-License-Identifier: GPL-3.0-or-later
"""A key, or a password in an address, is in no line of any output, with -vvv too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(name="run")
def run_a_command(tmp_path):
    """run(command, *words, **environment): its output in one line, as a user of a checkout sees it; the inventory is
    one of this collection.
    """
    path = tmp_path / "lambda_cloud.yml"
    path.write_text("plugin: gh200.inference.lambda_cloud\n", encoding="utf-8")

    def run(command, *words, **environment):
        argv = [Path(sys.executable).parent / command, *words]
        environment = {
            **os.environ,
            "ANSIBLE_NOCOLOR": "1",
            "LAMBDA_REQUEST_INTERVAL": "0",
            "COLUMNS": "1000",
            **environment,
        }
        done = subprocess.run(
            argv,
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode != 0
        return " ".join((done.stdout + done.stderr).split())

    run.inventory = str(path)
    return run


@pytest.fixture(name="everywhere")
def in_playbook_and_inventory(run):
    """everywhere(**environment): the outputs of a playbook and of an inventory, with -vvv."""

    def everywhere(**environment):
        return [
            run("ansible-playbook", "-i", "localhost,", "playbooks/status.yml", "-vvv", **environment),
            run("ansible-inventory", "-i", run.inventory, "--list", "-vvv", **environment),
        ]

    return everywhere


@pytest.mark.parametrize(
    "content", [b"PLANTED\nx\n", b"\xef\xbb\xbfPLANTED\n", b"PLANTED\0", b"PLANTED \xff", b"Bearer PLANTED"]
)
def test_a_key_file_that_holds_no_key_is_a_sentence_without_it(everywhere, cloud, tmp_path, content):
    path = tmp_path / "f"
    path.write_bytes(content)
    for said in everywhere(LAMBDA_API_KEY_FILE=str(path), LAMBDA_API_URL=cloud.url):
        assert f"The file {path} does not hold a Lambda API key: " in said
        assert "PLANTED" not in said and "Traceback" not in said and "Bearer" not in said
    assert cloud.calls() == []


def test_a_key_in_the_environment_that_is_none_is_a_sentence_without_it(everywhere, cloud):
    for said in everywhere(LAMBDA_API_KEY="PLANTED\nx", LAMBDA_API_URL=cloud.url):
        assert "api_key does not hold a Lambda API key: it has more than one line" in said and "PLANTED" not in said


@pytest.mark.parametrize("url", ["http://ada:PLANTED@{}/api/v1", "ada:PLANTED@{}", "http://{}/api/v1?x=PLANTED"])
def test_a_password_in_the_address_is_never_shown(everywhere, cloud, url):
    for said in everywhere(LAMBDA_API_KEY=cloud.key, LAMBDA_API_URL=url.format(cloud.url.split("/")[2])):
        assert (
            "api_url has a user, a password, a query or a fragment in it" in said
            and "PLANTED" not in said
            and cloud.key not in said
        )


def test_a_password_in_the_address_of_a_task_is_never_shown(run, tmp_path):
    options = {"api_url": "http://ada:PLANTED@127.0.0.1:9/api/v1", "api_key": "PLANTED"}
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "tasks": [{"gh200.inference.lambda_region_info": options}],
        }
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(play), encoding="utf-8")
    said = run("ansible-playbook", "-i", "localhost,", str(tmp_path / "play.yml"), "-vvv")
    assert "api_url has a user" in said and "PLANTED" not in said
