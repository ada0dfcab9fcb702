# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch models at a revision into folders of this node and verify each file.

With --check nothing is fetched: status 0 tells that all is there that this node needs, by the manifests, the sizes and
the times of the files alone, and a line of JSON tells more.
"""

import argparse
import fcntl
import json
import os
import sys
from pathlib import Path

from . import hub
from .fleet import Fleet
from .model import Model
from .run import Run
from .server import Server
from .words import Failure, first_line


def parse(arguments):
    """The command line."""
    parser = argparse.ArgumentParser(prog="hf_fetch", description=__doc__)
    parser.add_argument("models", type=models, help="JSON list of models: repository, revision, path, layers")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--no-prune", dest="prune", action="store_false", help="keep what is needed no more")
    parser.add_argument("--workers", type=int, default=4, help="files at once, from the hub and from peers each")
    parser.add_argument("--timeout", type=float, default=21600, help="seconds for all")
    parser.add_argument("--patience", type=float, default=60, help="seconds without a sign of a peer")
    parser.add_argument("--pause", type=float, default=2, help="seconds after the first failure of the hub")
    parser.add_argument("--interval", type=float, default=2, help="seconds between two looks at the peers")
    parser.add_argument(
        "--fleet", type=Path, help="file that tells of the other nodes; its folder is this program's own"
    )
    parser.add_argument("--address", default="", help="where the others reach this node")
    parser.add_argument("--port", type=int, default=8612)
    return parser.parse_args(arguments)


def models(text):
    """The models of the command line."""
    return [Model(one["repository"], one["revision"], one["path"], one.get("layers")) for one in json.loads(text)]


def check(options, fleet):
    """0 if there is nothing to do."""
    complete = all(one.is_complete(options.prune) for one in options.models)
    held = sum(len(one.have) for one in options.models)
    print(json.dumps({"address": options.address, "complete": complete, "held": held}))
    return 0 if complete and not (fleet and fleet.waits()) else 1


def fetch(options, fleet):
    """Get what is missing, and give what the others miss."""
    server = None
    if options.fleet:
        # A second program would take the first one's server away.
        lock = (options.fleet.parent / "lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Failure(f"Another download uses {options.fleet.parent}: wait for its end.") from None
        server = Server(options.fleet.parent, options.address, options.port)
    hub.begin()
    for one in options.models:
        one.doubt()
    try:
        Run(options, options.models, fleet, server).execute()
        for one in options.models:
            one.tidy(options.prune)
    finally:
        if server:
            server.stop()


def main(arguments=None):
    """Status, or the sentence with which it ends."""
    options = parse(arguments)
    fleet = Fleet(options.fleet, options.address)
    if options.check:
        return check(options, fleet)
    try:
        fetch(options, fleet)
    except KeyboardInterrupt:
        return "interrupted; run it again to go on where it stopped"
    except Failure as error:
        return str(error)
    except Exception as error:
        names = " and ".join(one.repository for one in options.models)
        return f"Fetching {names} failed: {first_line(error)}; what is there is kept, run it again."
    return 0


def end(result):
    """Leave at once: threads that still fetch would be waited for, and a sentence must be the last line."""
    if isinstance(result, str):
        print(result, file=sys.stderr)
        result = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(result)


if __name__ == "__main__":
    end(main())
