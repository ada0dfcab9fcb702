# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Installs the Debian packages that are missing: packages.sh PACKAGE..
set -euo pipefail
missing=()
for package in "$@"; do
  [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "setup: these Debian packages are missing and only root can install them: ${missing[*]}. Try again with sudo." >&2
  exit 1
fi
echo "setup: installing ${missing[*]}"
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 5 "$log" >&2
  echo "setup: apt-get could not install ${missing[*]} (its last lines above; all of it in $log): check /etc/apt and the network." >&2
  exit 1
fi
rm -f "$log"
