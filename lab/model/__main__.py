# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m lab.model FOLDER` writes the model there and prints its revision."""

import sys
from pathlib import Path

from . import make

if len(sys.argv) != 2:
    sys.exit("usage: python -m lab.model FOLDER")
print(make(Path(sys.argv[1])))
