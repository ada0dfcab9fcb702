# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Every linter, none with an exception: lint.sh [STEP..], all of them without a name. One that fails does not hide the next.
set -euo pipefail
root=$PWD
# Playbooks are loaded with an inventory that asks nobody.
export PATH="$root/.venv/bin:$PATH" ANSIBLE_FORCE_COLOR=0 ANSIBLE_INVENTORY=$root/inventory/static.example.yml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ruff_check() { ruff check --quiet; }
ruff_format() { ruff format --quiet --check --diff; }
sizes() { python -m scripts.measure; }
types() {
  # mypy sees the checkout below the environment (scripts/venv.sh); people know it without that.
  mypy -p ansible_collections.gh200.inference.plugins -p lab -p scripts |
    sed 's|^\.venv/checkout/ansible_collections/gh200/inference/||'
}
shell() {
  mkdir "$work/rendered"
  python -m scripts.render "$work/rendered"
  # systemd_job runs what is rendered by bash -euo pipefail.
  git ls-files -z -- '*.sh' .ci/run | xargs -0 shellcheck --shell=bash "$work"/rendered/*.sh
}
yaml() { yamllint --strict .; }
roles() { ansible-lint --offline --profile production --strict; }
documentation() { antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self . && python scripts/role_docs.py --check; }
changelog() { antsibull-changelog lint; }
sanity() {
  # ansible-test wants a real tree below ansible_collections, and knows a collection by its git files.
  local collection=$work/ansible_collections/gh200/inference bootstrap=$HOME/.ansible/test/cache/get_pip_24_2.py
  mkdir -p "$collection"
  git ls-files --cached --others --exclude-standard -z -- . ':!lab' ':!.ci' | while IFS= read -r -d '' file; do
    [ ! -e "$file" ] || printf '%s\0' "$file"
  done | tar --create --null --files-from=- | tar --extract --directory="$collection"
  git -C "$collection" init --quiet
  git -C "$collection" add --all
  # Its environments begin with a pip that it would fetch from the network.
  if [ ! -e "$bootstrap" ]; then
    mkdir -p "$(dirname "$bootstrap")"
    cp "$root/scripts/get_pip.py" "$bootstrap"
  fi
  cd "$collection"
  ansible-test sanity --venv --python "$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" --color no
}

steps=("$@")
[ $# -gt 0 ] || steps=(sanity ruff_check ruff_format sizes types shell yaml roles documentation changelog)
failed=() beside=""
# In a process of its own, so that it stops at its first error whatever surrounds it.
apart() { (set -e; "$@") & }
verdict() {
  if wait "$2"; then
    echo "lint: $1 passed, $SECONDS s since the start"
  else
    failed+=("$1")
    echo "lint: $1 failed" >&2
  fi
}
for step in "${steps[@]}"; do
  if [ "$step" = sanity ] && [ ${#steps[@]} -gt 1 ]; then
    # It takes as long as all the others together, and half of that waiting.
    echo "lint: sanity (beside the others, told at the end)"
    apart sanity >"$work/sanity.log" 2>&1
    beside=$!
  else
    echo "lint: $step"
    apart "$step"
    verdict "$step" $!
  fi
done
if [ -n "$beside" ]; then
  echo "lint: waiting for sanity"
  verdict sanity "$beside"
  cat "$work/sanity.log"
fi
[ ${#failed[@]} -eq 0 ] || { echo "lint: failed: ${failed[*]}. One alone: bash scripts/lint.sh ${failed[0]}" >&2; exit 1; }
echo "lint: all passed in $SECONDS s"
