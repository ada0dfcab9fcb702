# SPDX-License-Identifier: GPL-3.0-or-later
# Everything that `make test` runs, in the order in which it fails soonest. pytest comes last, with its summary.
set -euo pipefail
for target in unit integration drills lint molecule e2e; do
  started=$SECONDS
  echo "== $target"
  make --no-print-directory "$target"
  [ "$target" = e2e ] || echo "== $target: passed in $((SECONDS - started)) s"
done
