# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# The node's own Python 3.11 with its library below python/, the same bytes at each call: standalone.sh ARCHIVE
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/python/bin" "$work/python/lib"
cp "$(readlink -f /usr/bin/python3.11)" "$work/python/bin/python3.11"
cp -r /usr/lib/python3.11 "$work/python/lib/"
cd "$work"
tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --exclude=__pycache__ --exclude='config-3.11*' --exclude=dist-packages python |
  gzip --no-name --fast >"$1.new"
mv "$1.new" "$1"
