# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes as folders of this machine, each with an address 127.0.0.x: the roles' own program, real nginx and curl."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy

from lab.hub import repository
from lab.hub.app import create_app
from lab.model import layout

REPOSITORY = Path(__file__).resolve().parents[2]
NAME = "own/model"
PORT = 18612
STAGES = ((0, 3), (4, 7), (8, 11), (12, 15))
LAYERS, EVERY = STAGES[-1][1] + 1, [0, STAGES[-1][1]]


def write_model(root: Path, megabytes: float = 24) -> str:
    """A repository of 16 layers and a head in about 18 shards, and small files; returns its revision."""
    folder = root / "repos" / NAME
    folder.mkdir(parents=True)
    noise = numpy.random.default_rng(0)
    shape = (int(megabytes * 2**20 / 4 / 17 / 256), 256)
    names = [f"model.layers.{number}.weight" for number in range(LAYERS)]
    tensors = {name: noise.random(shape, dtype=numpy.float32) for name in names}
    small = (shape[0] // 2, 256)
    tensors = {"model.embed_tokens.weight": noise.random(small, dtype=numpy.float32), **tensors}
    tensors |= {"model.norm.weight": tensors[names[0]][0], "lm_head.weight": noise.random(small, dtype=numpy.float32)}
    layout.write_shards(folder, tensors, 18)
    layout.write_json(folder / "config.json", {"num_hidden_layers": LAYERS})
    (folder / "tokenizer.json").write_text("{}" * 500, encoding="utf-8")
    return repository.revision(folder)


class ByName:
    """The hub under /as/NAME, so that each node counts under its name: all come from one address here."""

    def __init__(self, root: Path):
        self.wire = create_app(root)

    async def __call__(self, scope, receive, send):
        """One request."""
        match = re.match(r"/as/([^/]+)(/.*)", scope.get("path", ""))
        if match:
            scope = scope | {"client": (match[1], 0), "path": match[2], "raw_path": match[2].encode()}
        await self.wire(scope, receive, send)

    def sent(self) -> dict[str, int]:
        """Node to bytes of files and listings."""
        total: dict[str, int] = {}
        for clients in self.wire.counts.values():
            for name, count in clients.items():
                total[name] = total.get(name, 0) + count
        return total


class Node:
    """One node: its folder, its address, the program."""

    def __init__(self, folder: Path, number: int, layers: list[int] | None):
        self.folder, self.number, self.layers = folder, number, layers
        self.address = f"127.0.0.{number + 2}"
        self.name = f"node-{number:02d}"
        self.model, self.state, self.log = folder / "model", folder / "state", folder / "log"
        self.state.mkdir(parents=True)
        self.process: subprocess.Popen | None = None

    def manifest(self) -> dict:
        """What the program noted."""
        return json.loads((self.model / ".gh200-manifest.json").read_text(encoding="utf-8"))

    def place(self, name: str) -> Path:
        """Where that file lies. A node that has a stage alone hides the index from the engine."""
        is_hidden = name == "model.safetensors.index.json" and self.layers
        return self.model / (".gh200-index.json" if is_hidden else name)

    def size(self) -> int:
        """Bytes of what was verified."""
        return sum(file["size"] for file in self.manifest()["files"].values())

    def text(self) -> str:
        """Its log so far."""
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def kill(self) -> None:
        """As the kernel does when memory is short; systemd would end the children, here they end by themselves."""
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


class Swarm:
    """All nodes of a fleet, and what the role would write for them."""

    def __init__(self, folder: Path, hub: str, revision: str, binaries: Path, tool: Path):
        self.folder, self.hub, self.revision, self.binaries, self.tool = folder, hub, revision, binaries, tool
        self.nodes: list[Node] = []

    def add(self, *layers: list[int] | None) -> list[Node]:
        """More nodes."""
        first = len(self.nodes)
        new = [Node(self.folder / f"{first + n}", first + n, one) for n, one in enumerate(layers)]
        self.nodes += new
        return new

    def arguments(self, node: Node, *more: str) -> list[str]:
        """The command line, as the role has it."""
        model = {"repository": NAME, "revision": self.revision, "path": str(node.model), "layers": node.layers}
        fleet = ["--fleet", str(node.state / "fleet.json"), "--address", node.address, "--port", str(PORT)]
        quick = ["--interval", "0.3", "--patience", "20", "--pause", "0.3", "--timeout", "90"]
        return [str(self.tool / "bin/python"), "-I", "-m", "hf_fetch", json.dumps([model]), *fleet, *quick, *more]

    def environment(self, node: Node) -> dict[str, str]:
        """Of the job."""
        return os.environ | {
            "HF_ENDPOINT": f"{self.hub}/as/{node.name}",
            "HF_HUB_DISABLE_XET": "1",
            "PATH": f"{self.binaries}:{os.environ['PATH']}",
        }

    def check(self, node: Node) -> tuple[int, dict]:
        """Status and words of the cheap check, which needs neither hub nor fleet."""
        environment = self.environment(node) | {"HF_ENDPOINT": "http://127.0.0.1:9"}
        command = self.arguments(node, "--check")
        at = command.index("--fleet")
        del command[at : at + 2]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    def write_fleet(self) -> None:
        """As the role does before the jobs begin."""
        said = [self.check(node)[1] for node in self.nodes]
        fleet = {
            "addresses": [node.address for node in self.nodes],
            "layers": [{node.address: node.layers for node in self.nodes}],
            "complete": [one["address"] for one in said if one["complete"]],
            "holding": [one["address"] for one in said if one["held"]],
        }
        for node in self.nodes:
            (node.state / "fleet.json").write_text(json.dumps(fleet), encoding="utf-8")

    def start(self, *nodes: Node, more: tuple[str, ...] = ()) -> None:
        """Begin, on these or all."""
        for node in nodes or self.nodes:
            with node.log.open("ab") as log:
                node.process = subprocess.Popen(
                    self.arguments(node, *more), env=self.environment(node), stdout=log, stderr=log, cwd="/"
                )

    def wait(self, *nodes: Node) -> list[int]:
        """Statuses at the end."""
        return [node.process.wait(120) for node in nodes or self.nodes if node.process]

    def run(self) -> None:
        """All to their good end."""
        self.write_fleet()
        self.start()
        statuses = self.wait()
        assert not any(statuses), "\n".join(
            node.text() for node in self.nodes if node.process and node.process.returncode
        )


def until(happened, seconds: float = 60):
    """Wait for something; what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := happened():
            return result
        time.sleep(0.05)
    raise AssertionError("It did not happen.")
