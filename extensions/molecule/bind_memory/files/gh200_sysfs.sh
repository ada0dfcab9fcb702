# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Shows the NUMA nodes of a GH200 in sysfs until the mount is taken away again: CPUs on node 0, memory on both.
set -euo pipefail
here=/sys/devices/system/node
if mountpoint --quiet "$here"; then exit; fi
folder=$(mktemp -d)
cp "$here/possible" "$here/online" "$folder"
for number in 0 1; do
  mkdir "$folder/node$number"
  printf 'Node %d MemTotal: 99090432 kB\nNode %d MemFree: 90000000 kB\n' "$number" "$number" >"$folder/node$number/meminfo"
done
echo 0-63 >"$folder/node0/cpulist"
echo >"$folder/node1/cpulist"
mount --bind "$folder" "$here"
