# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.vm up | down [nfs | aarch64]`: a pair with NFS in their kernel, or one of another architecture."""

from __future__ import annotations

import argparse
import sys

from ..cli import alone as undisturbed
from ..cli import say
from ..config import Paths
from ..errors import LabError
from . import alone, fleet
from .target import NFS


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 1 for a LabError."""
    parser = argparse.ArgumentParser(prog="python -m lab.vm", description="Virtual machines for the tests.")
    actions = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = actions.add_parser("up", help="fresh machines, and inventory/lab-vm or lab-aarch64")
    down = actions.add_parser("down", help="remove the machines of a kind, or all; images are kept")
    for action, default in ((up, "nfs"), (down, None)):
        told = "nfs: `server` and `client`; aarch64: one of that name, and a hub"
        action.add_argument("kind", nargs="?", choices=["nfs", "aarch64"], default=default, help=told)
    options = parser.parse_args(arguments)
    paths = Paths()
    try:
        with undisturbed(paths):
            if options.command == "down":
                if options.kind != "aarch64":
                    fleet.down(paths)
                if options.kind != "nfs":
                    alone.down(paths)
            elif options.kind == "aarch64":
                alone.up(paths, say)
            else:
                fleet.up(paths, NFS, ["server", "client"], {}, say)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
