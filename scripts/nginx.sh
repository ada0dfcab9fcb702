# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Says where nginx is. Where there is none, Debian's package is unpacked below .lab/cache: installed, it would
# start a server on port 80.
set -euo pipefail
if command -v nginx; then exit 0; fi
folder=$PWD/.lab/cache/nginx
if [ ! -x "$folder/usr/sbin/nginx" ]; then
  mkdir -p "$folder"
  cd "$folder"
  if ! log=$(apt-get download nginx 2>&1); then
    echo "nginx: apt-get could not download the package: ${log##*$'\n'}" >&2
    exit 1
  fi
  for package in nginx_*.deb; do dpkg -x "$package" .; done
fi
echo "$folder/usr/sbin/nginx"
