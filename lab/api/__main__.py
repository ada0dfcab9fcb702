# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.api --config FILE --port PORT` serves on loopback until it is told to end."""

import argparse
from pathlib import Path

import uvicorn

from ..config import Paths
from ..nodes.driver import NodeDriver
from .app import create_app
from .config import ApiConfig

parser = argparse.ArgumentParser(prog="python -m lab.api", description="The Lambda Cloud API on loopback.")
parser.add_argument("--config", type=Path, required=True, help="JSON file with the account's settings")
parser.add_argument("--port", type=int, default=8600, help="port to listen on")
options = parser.parse_args()
uvicorn.run(create_app(ApiConfig.load(options.config), NodeDriver(Paths())), host="127.0.0.1", port=options.port, log_level="info")
