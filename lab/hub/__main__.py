# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.hub --bind ADDRESS --port PORT --root FOLDER` serves until it is told to end."""

import argparse
from pathlib import Path

import uvicorn

from .app import create_app

parser = argparse.ArgumentParser(prog="python -m lab.hub", description="A model hub on this machine.")
parser.add_argument("--bind", default="127.0.0.1", help="address to listen on")
parser.add_argument("--port", type=int, default=8601, help="port to listen on")
parser.add_argument("--root", type=Path, required=True, help="folder with repos/ and files/")
options = parser.parse_args()
uvicorn.run(create_app(options.root), host=options.bind, port=options.port, log_level="info")
