# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions that a lock has are installed by its checksums, and a file that has another is refused in one sentence."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
import yaml
from ansible.template import trust_as_template

from lab.engine import index, lane, pins, wheel

from .test_scripts import ROLE, script, templar

NAME, CONTENT = wheel.empty("one", "1.0", "A package")
OTHER = wheel.empty("one", "1.0", "What somebody made of it")[1]


def templated(name, **variables):
    return templar(**variables).template(trust_as_template(f"{{{{ {name} }}}}"))


def sentence(**variables):
    """What the role says of a set that no lock has; nothing of another."""
    tasks = yaml.safe_load((ROLE / "tasks/begin.yml").read_text(encoding="utf-8"))
    (task,) = [task for task in tasks if "ansible.builtin.debug" in task]
    said = templar(**variables).template(trust_as_template(task["ansible.builtin.debug"]["msg"].strip()))
    return said if templated(task["when"], **variables) else ""


LAB = {key: value for key, value in lane.LANE.items() if key.startswith("vllm_build_") and key != "vllm_build_device"}


@pytest.mark.parametrize("variables", [{}, LAB, {"vllm_build_lane": "wheels"}])
def test_every_version_of_the_roles_own_set_and_of_the_labs_has_checksums(variables):
    placed = templated("__vllm_build_locks", **variables)
    engine = placed["/usr/local/lib/gh200/build/locks/engine.txt"].splitlines()
    constraints = variables.get("vllm_build_constraints") or templated("vllm_build_constraints")
    assert [line.split()[0] for line in engine] == constraints
    assert all(" --hash=sha256:" in line for line in engine)
    assert len(placed) == (1 if variables.get("vllm_build_lane") else 2) and sentence(**variables) == ""


@pytest.mark.parametrize("name", ["install", "vllm-wheel"])
def test_the_scripts_install_them_so(name):
    text = script(name)
    assert "/locked.py /usr/local/lib/gh200/build/locks/engine.txt" in text
    assert ("/locked.py /usr/local/lib/gh200/build/locks/tools.txt" in text) == (name == "vllm-wheel")
    own = script(name, vllm_build_constraints=["numpy==1.26.4", "other==1"], vllm_build_tools=["cmake==1"])
    assert "/locks/" not in own and "\nother==1\n" in own


def test_versions_of_ones_own_are_named_in_one_line():
    own = [f"other-{number}==1" for number in range(5)]
    assert sentence(vllm_build_constraints=["numpy==1.26.4", *own]) == (
        "6 dependencies of vLLM 0.7.2 are installed by version alone, for no lock has checksums of other-0==1, "
        "other-1==1, other-2==1 and 2 more: vllm_build_locks takes files that have them."
    )
    newest = {"vllm_build_lane": "index", "vllm_build_version": "9", "vllm_build_index_constraints": []}
    assert sentence(**newest).startswith("The newest of everything for vLLM 9 is installed by version alone")
    assert "has checksums of agent-detector==2.0.0, " in sentence(
        **index.LANE
        | {"vllm_build_index_constraints": index.constraints(), "device": "cpu", "vllm_build_device": "cpu"}
    )


def test_a_lock_of_ones_own_is_taken(tmp_path):
    own = tmp_path / "lock.txt"
    own.write_text("My_Package[extra]==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n", encoding="utf-8")
    variables = {"vllm_build_constraints": ["my-package==1", "torch==9"], "vllm_build_locks": [str(own)]}
    placed = templated("__vllm_build_locks", **variables)
    # torch is settled by vllm_build_torch.
    assert placed["/usr/local/lib/gh200/build/locks/engine.txt"] == (
        "My_Package[extra]==1 --hash=sha256:aa --hash=sha256:bb"
    )


def test_what_the_lab_raises_is_in_its_lock():
    assert not set(pins.raised()) & set(templated("vllm_build_constraints"))
    assert templated("__vllm_build_unlocked", **LAB | {"vllm_build_locks": []}) == [
        "setuptools==80.9.0",
        "sympy==1.13.3",
    ]


class Index(SimpleHTTPRequestHandler):
    """Files of a folder; what was asked for is in `asked`."""

    asked: ClassVar[list[str]] = []

    def log_message(self, *dummy):
        self.asked.append(self.path)


@pytest.fixture(name="install")
def installing(tmp_path):
    """install(content): locked.py's result where the index gives that content for what the lock has of CONTENT."""
    Index.asked.clear()
    root = tmp_path / "index"
    (root / "simple/one").mkdir(parents=True)
    lock = tmp_path / "engine.txt"
    sums = ("0" * 64, hashlib.sha256(CONTENT).hexdigest())
    lock.write_text(f"one==1.0{''.join(f' --hash=sha256:{each}' for each in sums)}\n", encoding="utf-8")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Index, directory=root))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def install(content):
        (root / NAME).write_bytes(content)
        link = f'<a href="/{NAME}#sha256={hashlib.sha256(content).hexdigest()}">{NAME}</a>'
        (root / "simple/one/index.html").write_text(link, encoding="utf-8")
        environment = os.environ | {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"http://127.0.0.1:{server.server_port}/simple",
            "PIP_NO_CACHE_DIR": "1",
            "PIP_TARGET": str(tmp_path / "there"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        command = [sys.executable, ROLE / "files/locked.py", lock]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    yield install
    server.shutdown()
    server.server_close()


def test_the_file_of_the_lock_is_installed(install, tmp_path):
    assert install(CONTENT).returncode == 0
    assert list((tmp_path / "there").glob("one-1.0.dist-info"))


def test_a_tampered_file_is_refused_in_one_sentence_and_not_asked_for_again(install, tmp_path):
    done = install(OTHER)
    assert done.returncode == 1 and not (tmp_path / "there").exists()
    last = done.stderr.splitlines()[-1]
    assert last.startswith("one==1.0 from http://127.0.0.1:") and f"/{NAME} has the checksum" in last
    assert hashlib.sha256(OTHER).hexdigest() in last and "which is none of those that the lock (engine.txt) has" in last
    assert "Traceback" not in done.stderr and Index.asked.count(f"/{NAME}") == 1
