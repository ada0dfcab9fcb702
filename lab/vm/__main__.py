# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.vm up | down`: a pair of virtual machines, server and client, with NFS in their kernel."""

from __future__ import annotations

import argparse
import sys

from ..cli import alone, say
from ..config import Paths
from ..errors import LabError
from . import fleet
from .target import NFS


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0, or 1 for a LabError."""
    parser = argparse.ArgumentParser(prog="python -m lab.vm", description="Virtual machines for the tests.")
    actions = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    actions.add_parser("up", help="fresh machines `server` and `client`, and inventory/lab-vm")
    actions.add_parser("down", help="remove the machines, their network and the inventory; images are kept")
    options = parser.parse_args(arguments)
    paths = Paths()
    try:
        with alone(paths):
            if options.command == "down":
                fleet.down(paths)
            else:
                fleet.up(paths, NFS, ["server", "client"], {}, say)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
