# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts about mounts."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import mounts

FSTAB = (
    "# 10.0.0.1:/a /lambda/nfs/shared nfs rw 0 0\nUUID=1 / ext4 defaults 0 1\n"
    "10.0.0.1:/a\t/lambda/nfs/shared  nfs   rw,hard 0 0\n"
)
VOLUMES = """\
NV SERVER   PORT DEV          FSID                              FSC
v4 0a000001  801 0:50         5f2c1b:0                          yes
v4 0a000002  801 0:51         6a2c1b:0                          no
"""


def test_an_option_is_added_to_that_mount_only_and_spacing_stays():
    assert mounts.with_option(FSTAB, "/lambda/nfs/shared", "fsc") == FSTAB.replace("rw,hard", "rw,hard,fsc")


def test_an_option_is_added_once():
    once = mounts.with_option(FSTAB, "/lambda/nfs/shared", "fsc")
    assert mounts.with_option(once, "/lambda/nfs/shared", "fsc") == once


def test_an_option_whose_name_contains_the_other_is_another():
    assert mounts.with_option("a /b nfs nofsc 0 0\n", "/b", "fsc") == "a /b nfs nofsc,fsc 0 0\n"


def test_options_that_repeat_the_device_change_in_the_right_field():
    assert mounts.with_option("nfs /nfs nfs nfs 0 0", "/nfs", "fsc") == "nfs /nfs nfs nfs,fsc 0 0"


@pytest.mark.parametrize("path", ["/lambda/nfs", "/lambda/nfs/shared/", "/elsewhere"])
def test_a_mount_without_a_line_is_told_apart(path):
    assert mounts.with_option(FSTAB, path, "fsc") is None


def test_a_comment_is_no_line():
    assert mounts.with_option("# a /b nfs rw 0 0\n", "/b", "fsc") is None


@pytest.mark.parametrize(
    ("server", "count", "cached"),
    [
        ("10.0.0.1", 1, True),
        ("10.0.0.2", 1, False),
        ("10.0.0.3", 1, False),
        ("10.0.0.1", 2, False),
        ("nfs.example.com", 1, True),
    ],
)
def test_the_kernel_says_whether_a_server_is_cached(server, count, cached):
    assert mounts.is_cached(VOLUMES, server, count) is cached


def test_no_volumes_are_not_cached():
    assert not mounts.is_cached("", "10.0.0.1") and not mounts.is_cached(VOLUMES.splitlines()[0], "10.0.0.1")


def test_cachefilesd_limits_count_blocks_and_files():
    text = mounts.cachefilesd_conf("/var/cache/fscache", 20, 15, 10)
    assert text.splitlines() == [
        "dir /var/cache/fscache",
        "tag gh200",
        "brun 20%",
        "bcull 15%",
        "bstop 10%",
        "frun 20%",
        "fcull 15%",
        "fstop 10%",
    ]


@pytest.mark.parametrize("limits", [(10, 15, 20), (20, 20, 10), (20, 10, 10), (100, 15, 10), (20, 15, -1)])
def test_limits_out_of_order_are_refused(limits):
    with pytest.raises(ValueError, match="order"):
        mounts.cachefilesd_conf("/c", *limits)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("#RUN=yes\nX=1\n", "RUN=yes\nX=1\n"),
        ("X=1\nRUN=no\nY=2\n", "X=1\nRUN=yes\nY=2\n"),
        ("X=1\n", "X=1\nRUN=yes\n"),
        ("", "RUN=yes\n"),
        ("RUN=yes\n", "RUN=yes\n"),
        ("# RUN=no\nRUN=no\n", "RUN=yes\n"),
    ],
)
def test_run_is_set_once_in_its_place(before, after):
    assert mounts.with_run(before) == after
    assert mounts.with_run(after) == after


MOUNTINFO = r"""22 28 0:21 / /proc rw,nosuid shared:12 - proc proc rw
90 28 0:50 / /lambda/nfs/shared rw,relatime shared:3 master:4 - nfs4 10.12.69.21:/export\040one rw,vers=4.2
91 28 8:1 /data /home/ubuntu/my\040share rw - ext4 /dev/sda1 rw
92 28 0:60 / /auto rw - autofs systemd-1 rw
93 92 0:61 / /auto rw - nfs4 server:/auto rw
broken
"""


@pytest.mark.parametrize(
    ("path", "mount"),
    [
        ("/lambda/nfs/shared", {"fstype": "nfs4", "source": "10.12.69.21:/export one"}),
        ("/home/ubuntu/my share", {"fstype": "ext4", "source": "/dev/sda1"}),
        ("/auto", {"fstype": "nfs4", "source": "server:/auto"}),
        ("/lambda/nfs", None),
        ("/lambda/nfs/shared/gh200", None),
        ("/lambda/nfs/sharedother", None),
        ("", None),
    ],
)
def test_only_the_place_itself_is_a_mount_and_the_last_one_counts(path, mount):
    assert mounts.mount_at(MOUNTINFO, path) == mount
