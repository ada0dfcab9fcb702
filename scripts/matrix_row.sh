# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# One row of the matrix, in a copy of the checkout that is a repository of its own: matrix_row.sh ANSIBLE_CORE STEP..
# Prints "STEP: passed" or "STEP: failed" after each step; goes on after one that failed.
set -euo pipefail
core=$1
shift
sed -i "s/^ansible-core==.*/ansible-core==$core/" constraints.txt
bash scripts/venv.sh .venv
export PATH="$PWD/.venv/bin:$PATH" ANSIBLE_FORCE_COLOR=0

status=0
for step in "$@"; do
  run=(python -m pytest --color=no "tests/$step")
  [ "$step" != sanity ] || run=(bash scripts/matrix_sanity.sh)
  if "${run[@]}"; then
    echo "$step: passed"
  else
    echo "$step: failed"
    status=1
  fi
done
exit "$status"
