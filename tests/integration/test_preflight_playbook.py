# SPDX-License-Identifier: GPL-3.0-or-later
"""What preflight says when it cannot learn of the model: each cause has a sentence and a cure of its own, and nothing
is launched.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(name="hub")
def hub_of_one_answer():
    """A hub that answers hub.status to everything."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(hub.status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args):
            pass

    hub = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{hub.server_port}"
    threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield hub
    hub.shutdown()
    hub.server_close()


@pytest.fixture(name="preflight")
def run_preflight(tmp_path):
    """preflight(url, **variables): the sentence of the task that fails."""
    tasks = [
        {"ansible.builtin.import_role": {"name": "gh200.inference.gh200", "rolespec_validate": False}},
        {"ansible.builtin.import_tasks": str(REPOSITORY / "playbooks/tasks/preflight.yml")},
        {"ansible.builtin.fail": {"msg": "preflight has passed"}},
    ]
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(json.dumps(play), encoding="utf-8")

    def preflight(url, **variables):
        told = {
            "ansible_python_interpreter": sys.executable,
            "gh200_hub_endpoint": url,
            "gh200_hub_token": "",
            **variables,
        }
        command = [
            Path(sys.executable).parent / "ansible-playbook",
            "-i",
            "localhost,",
            str(tmp_path / "play.yml"),
            "-e",
            json.dumps(told),
        ]
        environment = {**os.environ, "ANSIBLE_NOCOLOR": "1", "COLUMNS": "1000", "HF_TOKEN": ""}
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        (failed,) = re.findall(r"FAILED! => (\{.*\})", done.stdout)
        said = json.loads(failed)["msg"]
        assert done.returncode == 2 and said != "preflight has passed"
        return said

    return preflight


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "does not know deepseek-ai/DeepSeek-R1 at"),
        (401, "answers 401 for deepseek-ai/DeepSeek-R1 at"),
        (403, "or set HF_TOKEN to one that may read it"),
    ],
)
def test_an_unknown_model_is_told_by_the_answer(preflight, hub, status, words):
    hub.status = status
    said = preflight(hub.url, gh200_model="r1")
    assert (
        words in said
        and "Nothing was launched." in said
        and "correct" in said.lower()
        and "gh200_models" in said
        and "cannot be reached" not in said
    )


def test_a_refused_connection_is_told(preflight, hub):
    hub.server_close()
    said = preflight(hub.url)
    assert f"{hub.url} cannot be reached (" in said and "refused" in said and "check gh200_hub_endpoint" in said
    assert "does not know" not in said and "gh200_models" not in said


def test_a_missing_interpreter_is_told(preflight, hub):
    hub.status = 200
    said = preflight(hub.url, ansible_python_interpreter="/nonexistent/python3")
    assert (
        "The control node cannot ask the hub (" in said
        and "which is /nonexistent/python3 now" in said
        and "gh200_models" not in said
    )


def test_a_model_that_is_in_no_table_is_told_with_those_that_are(preflight, hub):
    assert "gh200_model is none-such, and gh200_models has " in preflight(hub.url, gh200_model="none-such")
