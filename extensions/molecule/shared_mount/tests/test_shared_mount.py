# SPDX-License-Identifier: GPL-3.0-or-later
"""The share is where it was, and no proof was left on it."""


def test_the_share_is_mounted_and_nothing_was_left(host):
    assert host.run("mountpoint --quiet /lambda/nfs/shared").rc == 0
    assert host.run("mountpoint --quiet /home/ubuntu/shared").rc != 0
    assert host.check_output("find /lambda/nfs/shared -maxdepth 1 -name '.shared-mount-*'") == ""
