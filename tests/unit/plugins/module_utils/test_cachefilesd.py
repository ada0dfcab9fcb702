# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of the cache by the size of its disk."""

from __future__ import annotations

import os

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import cachefilesd

TB = 10**12


@pytest.mark.parametrize(
    ("disk", "keep_free", "expected"),
    [
        # A GH200's disk, with R1 to come.
        (3.9 * TB, 800, (31, 26, 21)),
        (3.9 * TB, 0, (20, 15, 10)),
        (1.4 * TB, 800, (68, 63, 58)),
        # A disk that holds the model or the cache, and not both.
        (0.9 * TB, 800, (90, 85, 80)),
        (0.1 * TB, 800, (90, 85, 80)),
    ],
)
def test_limits_follow_the_disk(disk, keep_free, expected):
    assert cachefilesd.limits(int(disk), keep_free) == expected


@pytest.mark.parametrize("keep_free", range(0, 4000, 37))
def test_what_is_to_be_kept_is_kept_wherever_it_fits_into_four_fifths(keep_free):
    disk = 3_900 * 10**9
    run, cull, stop = cachefilesd.limits(disk, keep_free)
    assert 0 < stop < cull < run < 100
    assert disk * stop / 100 >= min(keep_free * 1e9, 0.8 * disk)


@pytest.mark.parametrize(("disk", "keep_free"), [(0, 1), (TB, -1)])
def test_what_no_disk_has_is_refused(disk, keep_free):
    with pytest.raises(ValueError, match="cannot be kept free"):
        cachefilesd.limits(disk, keep_free)


def test_settings_count_blocks_and_files():
    assert cachefilesd.settings("/var/cache/fscache", TB, 300).splitlines() == [
        "dir /var/cache/fscache",
        "tag gh200",
        "brun 40%",
        "bcull 35%",
        "bstop 30%",
        "frun 20%",
        "fcull 15%",
        "fstop 10%",
    ]


def test_a_folder_to_come_is_on_the_disk_of_those_above_it(tmp_path):
    disk = os.statvfs(tmp_path)
    assert cachefilesd.disk_bytes(str(tmp_path / "a/b/c")) == disk.f_blocks * disk.f_frsize
