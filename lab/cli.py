# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab`: bring the lab up, look at it, take it down."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import sys
from collections.abc import Iterator

from . import commands
from . import reference as answers
from .config import FLEET, LIGHT_MOST, NODE_COUNTS, Paths
from .errors import LabError


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, 1 for a LabError, 2 for a wrong argument, 130 after Ctrl-C."""
    options = parser().parse_args(arguments)
    paths = Paths()
    try:
        with alone(paths):
            chosen = {
                "up": up,
                "cuda": cuda,
                "index": index,
                "light": light,
                "down": down,
                "status": status,
                "summary": summary,
                "reference": reference,
            }
            return chosen[options.command](paths, options)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nlab: interrupted; the same command goes on from here, and `make lab-down` removes everything.",
            file=sys.stderr,
        )
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m lab", description="A Lambda Cloud on this machine: its API, nodes, and a model hub."
    )
    actions = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = actions.add_parser("up", help="start API and hub, and write inventory/lab for so many nodes")
    command.add_argument(
        "--nodes",
        type=node_count,
        default=4,
        metavar="N",
        help=f"number of nodes: {', '.join(map(str, NODE_COUNTS))} (default 4)",
    )
    command.add_argument(
        "--fleet", default=FLEET, metavar="NAME", help=f"write the inventory for this fleet (default {FLEET})"
    )
    actions.add_parser(
        "cuda", help="start API and hub, and write inventory/lab-cuda for one node with CUDA 12.4 and no GPU"
    )
    actions.add_parser(
        "index", help="start API and hub, and write inventory/lab-index for two nodes with vLLM from the package index"
    )
    command = actions.add_parser(
        "light",
        help="start API and hub, and write inventory/lab-light for nodes that serve nothing: no model, no engine",
    )
    command.add_argument(
        "--nodes", type=light_count, default=LIGHT_MOST, metavar="N", help=f"number of nodes (default {LIGHT_MOST})"
    )
    actions.add_parser("down", help="remove nodes, networks, processes and the inventory; downloads are kept")
    actions.add_parser("status", help="what is running")
    actions.add_parser("summary", help="nodes and the endpoint, after the playbooks have run")
    actions.add_parser("reference", help="make, where it is missing, what transformers answers, and print its file")
    return top


def node_count(text: str) -> int:
    """One of the shapes; argparse makes the message."""
    if text not in map(str, NODE_COUNTS):
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a number of nodes that the model can be cut for: use {', '.join(map(str, NODE_COUNTS))}"
        )
    return int(text)


def light_count(text: str) -> int:
    """As many as the simulated account may have."""
    if not text.isdecimal() or not 1 <= int(text) <= LIGHT_MOST:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of nodes: use 1 to {LIGHT_MOST}")
    return int(text)


def up(paths: Paths, options: argparse.Namespace) -> int:
    """Everything but the instances, which the playbooks launch."""
    commands.up(paths, options.fleet, options.nodes, say)
    return 0


def cuda(paths: Paths, options: argparse.Namespace) -> int:
    """The same with another image and other values; see lab.cuda."""
    commands.up(paths, "cuda", 1, say, "cuda")
    return 0


def index(paths: Paths, options: argparse.Namespace) -> int:
    """The same with another engine; see lab.engine.index."""
    commands.up(paths, "index", 2, say, "index")
    return 0


def light(paths: Paths, options: argparse.Namespace) -> int:
    """The same for nodes on which only the first steps can be run, but many of them."""
    commands.up(paths, "light", options.nodes, say, "light")
    return 0


def down(paths: Paths, options: argparse.Namespace) -> int:
    """Nothing of the lab runs after this."""
    left = commands.down(paths, say)
    if left:
        raise LabError(f"These could not be removed: {', '.join(left)}.")
    say("nothing of the lab is left; downloads are kept in the cache folder")
    return 0


def status(paths: Paths, options: argparse.Namespace) -> int:
    """One line for each thing that runs."""
    for line in commands.status(paths):
        print(line)
    return 0


def summary(paths: Paths, options: argparse.Namespace) -> int:
    """Ends with the endpoint's line."""
    for line in commands.summary(paths):
        print(line)
    return 0


def reference(paths: Paths, options: argparse.Namespace) -> int:
    """The path is the only line on standard output."""
    print(answers.ensure(paths, lambda text: print(f"lab: {text}", file=sys.stderr, flush=True)))
    return 0


def say(text: str) -> None:
    """Progress."""
    print(f"lab: {text}", flush=True)


@contextlib.contextmanager
def alone(paths: Paths) -> Iterator[None]:
    """One `lab` command at a time."""
    try:
        paths.root.mkdir(parents=True, exist_ok=True)
        with (paths.root / "lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise LabError(f"Another lab command is at work in {paths.root}: wait for its end.") from error
            yield
    except PermissionError as error:
        raise LabError(f"{error.filename} cannot be written: the lab must run as root, try again with sudo.") from error
