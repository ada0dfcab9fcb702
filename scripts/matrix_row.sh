# SPDX-License-Identifier: GPL-3.0-or-later
# One row of the matrix, in a copy of the checkout that is a repository of its own: matrix_row.sh ANSIBLE_CORE STEP..
# Prints "STEP: passed" or "STEP: failed" after each step; goes on after one that failed.
set -euo pipefail
core=$1
shift
sed -i "s/^ansible-core==.*/ansible-core==$core/" constraints.txt
bash scripts/venv.sh .venv
export PATH="$PWD/.venv/bin:$PATH" ANSIBLE_FORCE_COLOR=0
python=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')

sanity() {
  # Its environments begin with a pip that it would fetch from the network.
  local version cache=$HOME/.ansible/test/cache
  version=$(sed -n "s/^ *pip='\(.*\)',$/\1/p" ".venv/lib/python$python/site-packages/ansible_test/_internal/python_requirements.py")
  mkdir -p "$cache"
  cp scripts/get_pip.py "$cache/get_pip_${version//./_}.py"
  ansible-test sanity --venv --python "$python" --color no --exclude lab/
}

status=0
for step in "$@"; do
  # In a process of its own, so that it stops at its first error.
  (
    set -e
    if [ "$step" = sanity ]; then sanity; else python -m pytest --color=no "tests/$step"; fi
  ) &
  if wait $!; then
    echo "$step: passed"
  else
    echo "$step: failed"
    status=1
  fi
done
exit "$status"
