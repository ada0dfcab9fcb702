# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.api` without nodes, as the tests of another client start it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

REPOSITORY = Path(__file__).resolve().parents[4]
KEY = "secret_test_0000.key"
LAUNCH = {"region_name": "us-east-3", "instance_type_name": "gpu_1x_gh200", "ssh_key_names": ["desk"]}


@pytest.fixture(name="begin")
def start_process():
    """begin(*options): the process, on a port that was free, and the address that it printed."""
    started = []

    def begin(*options):
        command = [sys.executable, "-m", "lab.api", "--port", "0", *options]
        process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, process.stdout.readline().strip()

    yield begin
    for process in started:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def ask(url, method, path, body=None):
    answer = requests.request(method, url + path, json=body, headers={"Authorization": f"Bearer {KEY}"}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_a_client_launches_lists_and_terminates(begin, tmp_path):
    config = tmp_path / "account.json"
    config.write_text(
        json.dumps({"request_interval": 0, "launch_interval": 0, "boot_seconds": 0, "terminate_seconds": 0}),
        encoding="utf-8",
    )
    dummy, url = begin("--without-nodes", "--config", str(config))
    assert url.startswith("http://127.0.0.1:") and url.endswith("/api/v1")
    ask(url, "POST", "/ssh-keys", {"name": "desk", "public_key": "ssh-ed25519 AAAA"})
    (instance_id,) = ask(url, "POST", "/instance-operations/launch", LAUNCH)["instance_ids"]
    assert [(item["id"], item["status"]) for item in ask(url, "GET", "/instances")] == [(instance_id, "active")]
    ask(url, "POST", "/instance-operations/terminate", {"instance_ids": [instance_id]})
    assert ask(url, "GET", "/instances") == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 0)])
def test_without_settings_the_account_is_the_documented_one_until_a_signal_ends_it(begin, number, status):
    process, url = begin("--without-nodes")
    assert len(ask(url, "GET", "/regions")) > 10
    process.send_signal(number)
    assert process.wait(20) == status


def test_a_port_that_is_taken_is_one_sentence(begin):
    dummy, url = begin("--without-nodes")
    port = url.split(":")[2].partition("/")[0]
    command = [sys.executable, "-m", "lab.api", "--without-nodes", "--port", port]
    ended = subprocess.run(
        command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert (
        ended.returncode == 2
        and len(ended.stderr.splitlines()) == 1
        and f"Port {port} cannot be listened on" in ended.stderr
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{", "it is not JSON"),
        ("[]", "it is not an object"),
        ('{"speeed": 2}', "speeed"),
    ],
)
def test_wrong_settings_are_one_sentence(tmp_path, content, words):
    config = tmp_path / "account.json"
    if content is not None:
        config.write_text(content, encoding="utf-8")
    command = [sys.executable, "-m", "lab.api", "--without-nodes", "--config", str(config)]
    ended = subprocess.run(
        command, cwd=REPOSITORY, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2 and ended.stdout == ""
    assert words in ended.stderr.splitlines()[-1] and str(config) in ended.stderr and "Traceback" not in ended.stderr
