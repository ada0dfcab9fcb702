# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts about mounts."""

from __future__ import annotations

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import mounts

FSTAB = (
    "# 10.0.0.1:/a /lambda/nfs/shared nfs rw 0 0\nUUID=1 / ext4 defaults 0 1\n"
    "10.0.0.1:/a\t/lambda/nfs/shared  nfs   rw,hard 0 0\n"
)
SHARE = "/lambda/nfs/shared"
VOLUMES = """\
NV SERVER   PORT DEV          FSID                              FSC
v4 0a000001  801 0:50         5f2c1b:0                          yes
v4 0a000002  801 0:51         6a2c1b:0                          no
v3 fd000000000000000000000000000001  801 0:5          6a2c1b:0                          yes
"""
# Lines as they are found on machines, and what each becomes.
FORMS = {
    "proto=tcp in the middle": ("s:/a {} nfs rw,proto=tcp,timeo=600 0 0", "s:/a {} nfs rw,proto=tcp,timeo=600,fsc 0 0"),
    "no proto": ("s:/a {} nfs rw,hard 0 0", "s:/a {} nfs rw,hard,fsc 0 0"),
    "defaults": ("s:/a {} nfs defaults 0 0", "s:/a {} nfs defaults,fsc 0 0"),
    "_netdev": ("s:/a {} nfs4 _netdev 0 0", "s:/a {} nfs4 _netdev,fsc 0 0"),
    "automount": (
        "s:/a {} nfs noauto,x-systemd.automount,x-systemd.idle-timeout=600 0 0",
        "s:/a {} nfs noauto,x-systemd.automount,x-systemd.idle-timeout=600,fsc 0 0",
    ),
    "already": ("s:/a {} nfs rw,fsc,hard 0 0", "s:/a {} nfs rw,fsc,hard 0 0"),
    "already, with a tag": ("s:/a {} nfs rw,fsc=mine 0 0", "s:/a {} nfs rw,fsc=mine 0 0"),
    "a source like a UUID": (
        "10.12.69.21:/6c1f7a52-9d0e-4f63-8a53-2f1f6f0c9a11 {} nfs rw 0 0",
        "10.12.69.21:/6c1f7a52-9d0e-4f63-8a53-2f1f6f0c9a11 {} nfs rw,fsc 0 0",
    ),
    "an address of IPv6": ("[fd00::1]:/a {} nfs rw 0 0", "[fd00::1]:/a {} nfs rw,fsc 0 0"),
    "tabs": ("s:/a\t{}\tnfs\trw\t0\t0", "s:/a\t{}\tnfs\trw,fsc\t0\t0"),
    "indented": ("  s:/a {} nfs rw 0 0", "  s:/a {} nfs rw,fsc 0 0"),
    "without the numbers": ("s:/a {} nfs rw", "s:/a {} nfs rw,fsc"),
    "without options": ("s:/a {} nfs", "s:/a {} nfs fsc"),
    "a slash at the end": ("s:/a {}/ nfs rw 0 0", "s:/a {}/ nfs rw,fsc 0 0"),
    "a comment behind": ("s:/a {} nfs rw 0 0 # the share", "s:/a {} nfs rw,fsc 0 0 # the share"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("end", ["\n", "", "\nother:/b /b nfs rw 0 0\n"])
def test_each_form_of_a_line_gets_the_option_once_and_loses_it_to_the_letter(form, end):
    before, after = (line.format(SHARE) + end for line in FORMS[form])
    assert mounts.with_option(before, SHARE, "fsc") == after
    assert mounts.with_option(after, SHARE, "fsc") == after
    if before != after:
        assert mounts.without_option(after, SHARE, "fsc") == before


@pytest.mark.parametrize(
    "line",
    [
        "shared {} virtiofs rw 0 0",
        "/dev/vdb {} ext4 defaults 0 0",
        "/elsewhere {} none bind 0 0",
        "# s:/a {} nfs rw 0 0",
        "#s:/a {} nfs rw 0 0",
        "s:/a {}/below nfs rw 0 0",
        "s:/a {}2 nfs rw 0 0",
        "{} /mnt nfs rw 0 0",
        "s:/a {}",
        "",
    ],
)
def test_a_line_that_is_not_for_nfs_there_is_left_alone(line):
    text = line.format(SHARE) + "\n"
    assert mounts.with_option(text, SHARE, "fsc") is None
    assert mounts.without_option(text, SHARE, "fsc") is None
    assert not mounts.has_line(text, SHARE)


def test_an_option_is_added_to_that_mount_only_and_spacing_stays():
    assert mounts.with_option(FSTAB, SHARE, "fsc") == FSTAB.replace("rw,hard", "rw,hard,fsc")


def test_two_mounts_of_one_server_are_told_apart():
    fstab = "s:/a /a nfs rw 0 0\ns:/a /b nfs rw 0 0\n"
    assert mounts.with_option(fstab, "/b", "fsc") == "s:/a /a nfs rw 0 0\ns:/a /b nfs rw,fsc 0 0\n"


def test_an_option_whose_name_contains_the_other_is_another():
    assert mounts.with_option("a /b nfs nofsc 0 0\n", "/b", "fsc") == "a /b nfs nofsc,fsc 0 0\n"


def test_options_that_repeat_the_device_change_in_the_right_field():
    assert mounts.with_option("nfs /nfs nfs nfs 0 0", "/nfs", "fsc") == "nfs /nfs nfs nfs,fsc 0 0"


def test_blanks_in_a_mount_point_are_octal_in_fstab():
    assert (
        mounts.with_option("s:/a /my\\040share nfs rw 0 0", "/my share", "fsc") == "s:/a /my\\040share nfs rw,fsc 0 0"
    )


@pytest.mark.parametrize(("device", "cached"), [("0:50", True), ("0:51", False), ("0:5", True), ("0:1", False)])
def test_the_kernel_says_whether_a_superblock_is_cached(device, cached):
    assert mounts.is_cached(VOLUMES, device) is cached


def test_no_volumes_are_not_cached():
    assert not mounts.is_cached("", "0:50") and not mounts.is_cached(VOLUMES.splitlines()[0], "0:50")


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


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/lambda/nfs/shared/gh200/venv", "/lambda/nfs/shared"),
        ("/lambda/nfs/shared", "/lambda/nfs/shared"),
        ("/auto/x", "/auto"),
        ("/proc/1", "/proc"),
    ],
)
def test_the_mount_that_a_path_is_on_is_the_nearest(path, target):
    assert mounts.mount_over(MOUNTINFO, path).target == target


def test_of_mounts_on_each_other_the_last_is_what_a_path_is_on():
    mount = mounts.mount_over(MOUNTINFO, "/auto/x")
    assert (mount.fstype, mount.source, mount.device) == ("nfs4", "server:/auto", "0:61")


def test_a_path_that_is_on_nothing_is_told():
    assert mounts.mount_over(MOUNTINFO, "/lambda/nfs/sharedother") is None


def test_options_of_the_mount_and_of_its_superblock_are_both_seen():
    assert {"rw", "relatime", "vers=4.2"} <= set(mounts.mount_over(MOUNTINFO, "/lambda/nfs/shared").options)
