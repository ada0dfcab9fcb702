# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Says in one sentence which programs are missing that the tests run: programs.sh PROGRAM..
set -euo pipefail
missing=()
for program in "$@"; do
  command -v "$program" >/dev/null || missing+=("$program")
done
[ ${#missing[@]} -gt 0 ] || exit 0
echo "setup: the tests run these programs, which are not here: ${missing[*]}. Install them, on Debian with" \
  "\`apt-get install g++ git openssh-client\`, and try again." >&2
exit 1
