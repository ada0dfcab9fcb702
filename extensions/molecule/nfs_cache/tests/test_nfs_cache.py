# SPDX-License-Identifier: GPL-3.0-or-later
"""The share of these nodes is no NFS: the role leaves the node as it was."""


def test_share_is_no_nfs_and_nothing_was_installed(host):
    assert not host.check_output("findmnt --noheadings --output FSTYPE --target /lambda/nfs/shared").startswith("nfs")
    assert not host.package("cachefilesd").is_installed
    assert not host.file("/etc/cachefilesd.conf").exists
