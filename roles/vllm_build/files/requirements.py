# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints what an installed project asks for, without its extras and the packages that are named: requirements.py
PROJECT PACKAGE...
"""

import re
import sys
from importlib.metadata import requires


def wanted(lines, excluded):
    """The requirements that stay."""
    return [line for line in lines if "extra ==" not in line and project(line) not in excluded]


def project(line):
    """Name of a requirement as the package index writes it."""
    return re.match(r"[A-Za-z0-9._-]+", line).group().lower().replace("_", "-")


if __name__ == "__main__":
    print("\n".join(wanted(requires(sys.argv[1]) or [], sys.argv[2:])))
