# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# ansible-test sanity of the checkout that is the working folder, below ansible_collections, with its own environment.
set -euo pipefail
python=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
# Its environments begin with a pip that it would fetch from the network.
cache=$HOME/.ansible/test/cache
requirements=.venv/lib/python$python/site-packages/ansible_test/_internal/python_requirements.py
version=$(sed -n "s/^ *pip='\(.*\)',$/\1/p" "$requirements")
mkdir -p "$cache"
cp scripts/get_pip.py "$cache/get_pip_${version//./_}.py"
ansible-test sanity --venv --python "$python" --color no --exclude lab/ --exclude .ci/
