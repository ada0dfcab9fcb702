# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Makes the Python environment of this checkout, pinned by constraints.txt, as whoever calls it: venv.sh FOLDER
# PYTHON names the interpreter; without it the first that will do, the system's own before others.
set -euo pipefail
venv=$1
fits() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}
if [ -n "${PYTHON:-}" ]; then
  fits "$PYTHON" || { echo "setup: PYTHON is $PYTHON, which is not a Python 3.11, 3.12 or 3.13: name another." >&2; exit 1; }
else
  for PYTHON in /usr/bin/python3 python3 python3.13 python3.12 python3.11 ""; do
    if fits "$PYTHON"; then
      break
    fi
  done
fi
if [ -z "$PYTHON" ]; then
  echo "setup: no Python 3.11, 3.12 or 3.13 was found: install one, or name it with PYTHON=/path/to/python3." >&2
  exit 1
fi
if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
  echo "setup: $PYTHON has no venv and ensurepip: install them, on Debian with \`apt-get install python3-venv\`." >&2
  exit 1
fi
echo "setup: Python environment in $venv (about a minute)"
[ -x "$venv/bin/python" ] || "$PYTHON" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-input -c constraints.txt \
  -r requirements.txt -r lab/requirements.txt -r tests/requirements.txt
# This checkout is the collection, for Ansible and for pytest alike.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir -p "$site/ansible_collections/gh200"
ln -sfn "$PWD" "$site/ansible_collections/gh200/inference"
# mypy takes what lies in site-packages for another's: it finds the checkout by a path of its own (mypy.ini).
mkdir -p "$venv/checkout/ansible_collections/gh200"
ln -sfn "$PWD" "$venv/checkout/ansible_collections/gh200/inference"
touch "$venv/.complete"
