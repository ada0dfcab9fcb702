#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs one node until it powers off: supervise.sh FOLDER NAMESPACE HOSTNAME CGROUP.. -- NSPAWN-OPTION..
# A reboot from inside makes nspawn exit with 133, and it is started again.
folder=$1 namespace=$2 hostname=$3
shift 3
while [ "$1" != -- ]; do
  echo $$ > "$1/cgroup.procs" || exit 1
  shift
done
shift
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
status=133
while [ "$status" = 133 ]; do
  # Rules of its own, in a network namespace that is its own.
  systemd-nspawn --quiet --register=no --keep-unit --boot --directory="$folder/root" --machine="$hostname" \
    --capability=CAP_NET_ADMIN --resolv-conf=off --network-namespace-path="/run/netns/$namespace" "$@" </dev/null >>"$folder/console.log" 2>&1
  status=$?
done
