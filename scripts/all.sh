# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Everything that `make test` runs, in the order in which it fails soonest. pytest comes last, with its summary.
set -euo pipefail
# The shapes of 1 and 2 nodes against transformers; e2e does it for 4.
export SHAPES="${SHAPES:-1:1x1 2:2x1 2:1x2}"
for target in unit integration drills lint pins quickstart build load-test downloads molecule molecule-nfs reference e2e; do
  started=$SECONDS
  echo "== $target"
  make --no-print-directory "$target"
  [ "$target" = e2e ] || echo "== $target: passed in $((SECONDS - started)) s"
done
