# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the Python environment of this checkout, pinned by constraints.txt: venv.sh FOLDER
set -euo pipefail
venv=$1
python=/usr/bin/python3
[ -x "$python" ] || python=python3
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "setup: $python is older than 3.11; the lab is made for Debian 12, which has 3.11." >&2
  exit 1
fi
echo "setup: Python environment in $venv (about a minute)"
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/pip" install --quiet --quiet --disable-pip-version-check --no-input -c constraints.txt -r requirements.txt -r lab/requirements.txt -r tests/requirements.txt
# This checkout is the collection, for Ansible and for pytest alike.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir -p "$site/ansible_collections/gh200"
ln -sfn "$PWD" "$site/ansible_collections/gh200/inference"
touch "$venv/.complete"
