# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet under a real ansible-playbook: progress, Ctrl-C, two at once, sshd's greeting, and no secret anywhere."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lab.api.faults import Fault

from .world import LAUNCH

BIN = Path(sys.executable).parent
REPOSITORY = Path(__file__).resolve().parents[2]
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - gh200.inference.lambda_fleet:
        {name: r1, size: 3, region: us-east-3, ssh_key_name: laptop, poll_interval: 0.05,
         wait_for_ssh: false, max_life: 3600}
"""


@pytest.fixture(name="run")
def playbook_process(tmp_path, cloud):
    """run(*arguments): a started ansible-playbook; its output goes to a pipe."""
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "play.yml").write_text(PLAY, encoding="utf-8")
    environment = os.environ | {
        "LAMBDA_API_URL": cloud.url,
        "LAMBDA_API_KEY": cloud.key,
        "LAMBDA_REQUEST_INTERVAL": "0",
        "LAMBDA_LAUNCH_INTERVAL": "0",
        "GH200_STATE_DIR": str(tmp_path / "state"),
        "ANSIBLE_NOCOLOR": "1",
    }

    def run(*arguments, **more):
        command = [BIN / "ansible-playbook", "-i", "localhost,", *(arguments or [tmp_path / "play.yml"])]
        return subprocess.Popen(
            command, cwd=REPOSITORY, env=environment | more, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    return run


def test_progress_is_shown_while_it_launches(run):
    process = run()
    output = process.communicate(timeout=60)[0]
    assert process.returncode == 0, output
    assert (
        "[r1] launching 3 x gpu_1x_gh200 in us-east-3 at $2.29/h each: $6.87/h for the fleet of 3; "
        "reap.yml may end it 1.0 h" in output
    )
    assert output.count("[r1] launched r1-0") == 3


def test_ctrl_c_leaves_a_fleet_that_the_next_run_goes_on_with(run, cloud):
    cloud.app.state.cloud.config.launch_interval = 0
    process = run(LAMBDA_LAUNCH_INTERVAL="0.5")
    deadline = time.monotonic() + 30
    while not cloud.cloud.paid_now() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=60)[0]
    assert process.returncode != 0 and "Traceback" not in output, output
    paid = cloud.cloud.paid_now()
    assert 0 < len(paid) < 3
    (told,) = [line for line in output.splitlines() if line.endswith("this again to go on, or teardown to end them.")]
    # The last one may have been won in this very moment.
    assert all(f"({instance})" in told for instance in paid) or "perhaps running" in told
    again = run()
    assert again.wait(60) == 0
    assert len(cloud.cloud.paid_now()) == cloud.cloud.most_paid({"gh200:fleet": "r1"}) == 3


def test_a_second_run_at_the_same_time_is_refused(run, cloud):
    # However long the second one takes to begin, the first is at work until then.
    cloud.faults.add(Fault(on=LAUNCH, do="refuse", skip=1, times=0))
    first = run()
    deadline = time.monotonic() + 30
    while not cloud.cloud.paid_now() and time.monotonic() < deadline:
        time.sleep(0.02)
    second = run()
    output = second.communicate(timeout=60)[0]
    assert second.returncode != 0 and "Another run is at work on fleet r1 (process" in output
    cloud.faults.clear()
    assert first.wait(60) == 0
    assert len(cloud.cloud.paid_now()) == cloud.cloud.most_paid({"gh200:fleet": "r1"}) == 3


def test_a_node_counts_when_its_sshd_greets(act, cloud, tmp_path):
    told = cloud.options | {
        "name": "r1",
        "size": 1,
        "region": "us-east-3",
        "ssh_key_name": "laptop",
        "poll_interval": 0.05,
    }
    told["state_dir"] = str(tmp_path / "state")
    late = act("lambda_fleet", **told, deadline=0.3)
    assert (
        late["failed"]
        and "these do not answer on ssh: r1-00 (active, 127.77.0.2)" in late["msg"]
        and "Running and paid for: r1-00" in late["msg"]
    )
    with greeting("127.77.0.2"):
        assert act("lambda_fleet", **told, deadline=10)["adopted"] == ["r1-00"]


@contextlib.contextmanager
def greeting(address):
    """Something that speaks like sshd."""
    with socket.create_server((address, 22)) as server:

        def greet():
            with contextlib.suppress(OSError):
                while True:
                    connection = server.accept()[0]
                    with connection:
                        connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        threading.Thread(target=greet, daemon=True).start()
        yield


def test_no_secret_is_in_any_output_or_file(run, cloud, tmp_path):
    inventory = tmp_path / "lambda_cloud.yml"
    inventory.write_text(
        "plugin: gh200.inference.lambda_cloud\ncache: true\ncache_plugin: ansible.builtin.jsonfile\n"
        f"cache_connection: {tmp_path}/cache\ncache_timeout: 60\n",
        encoding="utf-8",
    )
    output = ""
    for arguments in (
        [tmp_path / "play.yml"],
        ["-i", inventory, "playbooks/status.yml"],
        ["-i", inventory, "playbooks/teardown.yml"],
    ):
        process = run("-vvv", "--diff", *arguments)
        output += process.communicate(timeout=90)[0]
        assert process.returncode == 0, output
    wrong = run(tmp_path / "play.yml", "-vvv", LAMBDA_API_URL="http://127.0.0.1:9/api/v1")
    output += wrong.communicate(timeout=60)[0]
    assert wrong.returncode != 0
    private = [
        body["user_data"].split("PRIVATE KEY-----\\n")[1].split("\\n")[0]
        for body in cloud.bodies("POST /instance-operations/launch")
    ]
    assert len(private) == 3 and all(len(key) > 40 for key in private)
    written = {
        path: path.read_bytes()
        for folder in ("state", "cache", "home")
        for path in (tmp_path / folder).rglob("*")
        if path.is_file()
    }
    assert any("ledger.jsonl" in str(path) for path in written) and any("receipts" in str(path) for path in written)
    assert any(path.parent.name == "cache" for path in written)
    for secret in (cloud.key, "jupyter-secret", *private):
        assert secret not in output
        assert not [path for path, content in written.items() if secret.encode() in content]
