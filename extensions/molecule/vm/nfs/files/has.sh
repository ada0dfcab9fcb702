# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=sh
# What a machine has: settings with their sum, names elsewhere, packages, units that run. Programs in C alone: the whole snapshot of
# ../../../steps takes minutes in an emulator.
find /etc -xdev -type f ! -name ld.so.cache -exec md5sum {} + | sort -k 2
find /etc -xdev -type l -printf '%p -> %l\n' | sort
find /opt /root /srv /usr/lib/systemd /usr/local /usr/sbin /var -xdev \
  \( -path /root/.ansible -o -path /var/backups -o -path /var/cache/apt -o -path /var/cache/debconf -o -path /var/cache/ldconfig \
  -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/lib/systemd -o -path /var/log -o -path /var/tmp \) -prune \
  -o -printf '%M %u:%g %p\n' | sort -k 3
dpkg-query --show --showformat '${Package} ${Version} ${db:Status-Status}\n'
systemctl --no-legend --plain list-units --type=service --state=running 'cachefilesd*' 'nfs*' 'rpc*'
