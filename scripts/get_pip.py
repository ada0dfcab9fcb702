# SPDX-License-Identifier: GPL-3.0-or-later
"""In place of the pip bootstrap that ansible-test would download: pip from Python itself, then what is asked for."""

import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip"], check=True)
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.run([sys.executable, "-m", "pip", "install", *wanted], check=False).returncode)
