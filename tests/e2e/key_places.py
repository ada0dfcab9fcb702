# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a key lies on a node, in any place that somebody else than its server could read or that outlives it."""

from __future__ import annotations

from tests.e2e.running import on

KEY_FILE = "/etc/gh200/vllm.env"
PLACES = "/etc /var/log /var/lib/gh200 /var/cache/gh200 /run /tmp /var/tmp /home /root /opt /usr/local"
# What is looked for comes by stdin, since sudo writes its arguments into the journal; and the search itself is no find.
LOOK = r"""sudo sh -c '
umask 077
wanted=$(mktemp -p /dev/shm)
trap "rm -f $wanted" EXIT
cat > $wanted
for process in /proc/[0-9]*; do
  if tr "\0" " " < $process/cmdline 2>/dev/null | grep -qF -f $wanted; then echo "$process/cmdline"; fi
done
if journalctl --no-pager --all --output=export | grep -aqF -f $wanted; then echo journal; fi
if systemctl show "*" --all | grep -aqF -f $wanted; then echo "properties of a unit"; fi
grep -rlsaF --devices=skip -f $wanted PLACES || true
'""".replace("PLACES", PLACES)


def places(variables: dict, keys: list[str]) -> list[str]:
    """Of any of these keys on a node, but the one file that is for it."""
    found = on(variables, LOOK, "\n".join(keys) + "\n").split("\n")
    return sorted({place for place in found if place and place != KEY_FILE})


def is_held(variables: dict, key: str) -> bool:
    """Whether that file has this key and nobody but root may read it; what shows that the search can find one."""
    return f"{KEY_FILE} 600 root" in on(
        variables, f"sudo sh -c 'grep -lsF -f - {KEY_FILE} && stat -c \"%n %a %U\" {KEY_FILE}'", f"{key}\n"
    )
