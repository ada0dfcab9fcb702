# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.api --config FILE --port PORT` serves on loopback until it is told to end.

With `--without-nodes` it needs no root and makes nothing on this machine: instances have their life, and addresses at
which nobody listens. So other clients of Lambda's API can be tested against it. The first line on standard output is
its address.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path

import uvicorn

from .. import serving
from ..config import Paths
from ..errors import LabError
from ..nodes.driver import NodeDriver
from .app import create_app
from .config import ApiConfig
from .drivers import NullDriver
from .wire import PREFIX


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m lab.api", description="The Lambda Cloud API on loopback.")
    top.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="JSON object with the account's settings, as lab/api/config.py lists them",
    )
    top.add_argument("--port", type=int, default=8600, help="port to listen on (default 8600); 0 takes a free one")
    top.add_argument(
        "--without-nodes",
        action="store_true",
        help="instances are nothing but entries: no root is needed, for tests of clients",
    )
    return top


def main() -> int:
    """Exit status: 0 after Ctrl-C, 2 where it cannot begin; SIGTERM ends it in order, too."""
    options = parser().parse_args()
    try:
        config = ApiConfig.load(options.config) if options.config else ApiConfig()
        bound = serving.listener(port=options.port)
    except (LabError, OSError, OverflowError) as error:
        reason = (
            error
            if isinstance(error, LabError)
            else f"Port {options.port} cannot be listened on ({error}): choose another one, or 0."
        )
        print(f"lab.api: {reason}", file=sys.stderr)
        return 2
    app = create_app(config, NullDriver() if options.without_nodes else NodeDriver(Paths()))
    print(serving.address(bound) + PREFIX, flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(uvicorn.Config(app, log_level="info")).run(sockets=[bound])
    return 0


sys.exit(main())
