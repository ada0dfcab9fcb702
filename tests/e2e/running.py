# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab that runs: its endpoint, its nodes, and commands on them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
ENDPOINT = re.compile(r"endpoint: (http://\S+/v1) model: (\S+) key-file: (\S+)")


class Server(NamedTuple):
    """An OpenAI endpoint; `url` ends with /v1."""

    url: str
    model: str
    key: str

    def get(self, path: str, body: dict | None = None, timeout: float = 120) -> dict:
        """JSON of a request; OSError (urllib's HTTPError is one) when there is none in `timeout` seconds."""
        data = None if body is None else json.dumps({"model": self.model} | body).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(f"{self.url}{path}", data, headers), timeout=timeout
        ) as answer:
            return json.load(answer)

    def version(self) -> str:
        """Of vLLM, with the local part."""
        with urllib.request.urlopen(f"{self.url.removesuffix('/v1')}/version", timeout=30) as answer:
            return json.load(answer)["version"]


def shown(*command, **options) -> tuple[int, str]:
    """Run a command, show its output as it comes, and return it with the exit status."""
    lines = []
    process = subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    for line in process.stdout:
        lines.append(line)
        print(line, end="", flush=True)
    return process.wait(), "".join(lines)


def playbook(*arguments, **options) -> tuple[int, str]:
    """A playbook on the lab's inventory."""
    return shown(str(BIN / "ansible-playbook"), "-i", "inventory/lab", *arguments, **options)


def server() -> Server:
    """As the lab's summary names it."""
    said = subprocess.run(
        [sys.executable, "-m", "lab", "summary"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    url, model, key_file = ENDPOINT.fullmatch(said.strip().splitlines()[-1]).groups()
    return Server(url, model, (REPOSITORY / key_file).read_text(encoding="utf-8").strip())


def inventory() -> tuple[str, dict]:
    """Name of the head, and the variables of all hosts."""
    command = [BIN / "ansible-inventory", "-i", "inventory/lab", "--list"]
    listed = json.loads(subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout)
    return listed["head"]["hosts"][0], listed["_meta"]["hostvars"]


def on(variables: dict, command: str, text: str = "") -> str:
    """Output of a command on a node, over ssh that is verified; `text` is its input."""
    ssh = [
        "ssh",
        "-F",
        "none",
        "-o",
        "BatchMode=yes",
        *variables["ansible_ssh_common_args"].split(),
        "-i",
        variables["ansible_ssh_private_key_file"],
    ]
    ran = subprocess.run(
        [*ssh, f"ubuntu@{variables['ansible_host']}", command], input=text, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"`{command}` failed on {variables['ansible_host']}: {ran.stderr.strip()}"
    return ran.stdout
