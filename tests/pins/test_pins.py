# SPDX-License-Identifier: GPL-3.0-or-later
"""Every pin has a wheel that Python 3.11 takes on an aarch64 machine with glibc 2.35, and the lock has its checksum."""

from __future__ import annotations

import tomllib

import pytest
from packaging import tags
from packaging.utils import parse_wheel_filename

from scripts import lock

PLATFORMS = [f"manylinux_2_{minor}_aarch64" for minor in range(35, 16, -1)] + ["manylinux2014_aarch64", "linux_aarch64"]
TAKEN = {
    *tags.cpython_tags((3, 11), platforms=PLATFORMS),
    *tags.compatible_tags((3, 11), "cp311", PLATFORMS),
}


def wheels(pins):
    """Pin to the checksums of the wheels that such a machine takes, as the package index has them now."""
    found = {}
    for package in tomllib.loads(lock.lock(pins, "pylock.toml"))["packages"]:
        fit = [
            wheel["hashes"]["sha256"]
            for wheel in package["wheels"]
            if parse_wheel_filename(wheel["url"].rpartition("/")[2])[3] & TAKEN
        ]
        found[f"{package['name']}=={package['version']}"] = fit
    return found


@pytest.mark.parametrize("name", lock.SETS)
def test_every_pin_has_a_wheel_for_aarch64_by_its_checksum(name):
    locked = lock.place(name).read_text(encoding="utf-8")
    found = wheels(lock.pins(name))
    assert set(found) == set(lock.pins(name))
    lost = [pin for pin, sums in found.items() if not any(f"sha256:{one}" in locked for one in sums)]
    assert lost == []


def test_wheels_for_other_machines_do_not_count():
    assert [len(sums) for sums in wheels(["numpy==1.26.4"]).values()] == [1]


def test_a_pin_that_has_wheels_for_others_only_cannot_be_locked():
    with pytest.raises(lock.Unfit, match=r"triton.*3\.1\.0"):
        lock.lock(["triton==3.1.0"])
