# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing of the service is left, and the machine shows its own NUMA nodes."""


def test_nothing_is_left(host):
    assert host.run("mountpoint --quiet /sys/devices/system/node").rc != 0
    assert host.check_output("find /etc/systemd/system /etc/gh200 -name 'molecule-sleeper*'") == ""
