# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Builds the collection from what git knows of this checkout, has Galaxy's importer and ansible-builder judge it, and
# installs it where nothing else is. The tarball is left in .lab/build.
set -euo pipefail
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$root/.lab/build
judge=$root/.lab/cache/importer
mkdir -p "$out" "$work/tree" "$work/importer"

echo "build: the tarball"
git ls-files --cached --others --exclude-standard -z -- . | while IFS= read -r -d '' file; do
  [ ! -e "$file" ] || printf '%s\0' "$file"
done | tar --create --null --files-from=- | tar --extract --directory="$work/tree"
.venv/bin/ansible-galaxy collection build "$work/tree" --output-path "$out" --force
tarball=$(printf '%s\n' "$out"/gh200-inference-*.tar.gz | tail -n 1)

if ! cmp --quiet scripts/importer.txt "$judge/.complete"; then
  echo "build: galaxy-importer and ansible-builder in $judge (a minute, once)"
  rm -rf "$judge"
  "$(.venv/bin/python -c 'import sys; print(sys._base_executable)')" -m venv "$judge"
  "$judge/bin/python" -m pip install --quiet --quiet --disable-pip-version-check --no-input -r scripts/importer.txt
  cp scripts/importer.txt "$judge/.complete"
fi
export PATH="$judge/bin:$PATH"

echo "build: galaxy-importer"
# It gives ansible-lint three minutes, which a small machine has not; `make lint` runs that, with the strictest profile.
export GALAXY_IMPORTER_RUN_ANSIBLE_LINT=false
log=$out/importer.log
if ! (cd "$work/importer" && python -m galaxy_importer.main "$tarball") >"$log" 2>&1 || grep -E '^(WARNING|ERROR)' "$log"; then
  tail -n 3 "$log" >&2
  echo "build: galaxy-importer is not content with $tarball; all that it says is in $log." >&2
  exit 1
fi

echo "build: ansible-builder"
ansible-galaxy collection install --collections-path "$work/collections" "$tarball" >/dev/null
ansible-builder introspect "$work/collections" >"$work/needs"
for need in requests openssh-client openssh-clients; do
  grep -q "^- '$need .*# from collection gh200.inference'" "$work/needs" || {
    echo "build: ansible-builder does not find that the collection needs $need; it found:" >&2
    cat "$work/needs" >&2
    exit 1
  }
done

COLLECTION=$tarball .venv/bin/python -m pytest tests/build
echo "build: $tarball"
