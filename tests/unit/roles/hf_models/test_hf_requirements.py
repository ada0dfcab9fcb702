# SPDX-License-Identifier: GPL-3.0-or-later
"""What the downloader is installed from: every package at one version, with checksums for both machines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from scripts import lock_downloader

ROLE = Path(__file__).resolve().parents[4] / "roles/hf_models"
TEXT = (ROLE / "files/requirements.txt").read_text(encoding="utf-8")
PINS = re.findall(r"^([a-z0-9-]+==\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", TEXT, re.MULTILINE)
COMPILED = {"hf-xet", "pydantic-core", "pyyaml"}


def test_every_line_is_a_pin_with_a_checksum():
    rest = [line for line in TEXT.splitlines() if not line.startswith(("#", "    --hash="))]
    assert [line.removesuffix(" \\") for line in rest] == [pin for pin, dummy in PINS] and len(PINS) > 15


def test_what_is_compiled_has_a_wheel_for_each_machine():
    counts = {pin.partition("==")[0]: hashes.count("--hash") for pin, hashes in PINS}
    assert {name for name, count in counts.items() if count > 1} == COMPILED
    assert {counts[name] for name in COMPILED} == {len(lock_downloader.MACHINES)}


def test_checksums_of_both_machines_are_written_and_a_package_that_one_lacks_is_told():
    one, other = {"a==1": {"sha256:1"}}, {"a==1": {"sha256:3"}}
    assert "a==1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:3\n" in lock_downloader.text([one, other], ["a"])
    with pytest.raises(SystemExit, match="b==2 is not the same"):
        lock_downloader.text([one, other | {"b==2": {"sha256:2"}}], ["a"])


def test_the_role_places_every_part_of_the_program():
    parts = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))["__hf_models_parts"]
    assert sorted(parts) == sorted(path.stem for path in (ROLE / "files/hf_fetch").glob("*.py"))
