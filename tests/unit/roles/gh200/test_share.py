# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the playbooks think the share is: what was noted, if it is still one of the places that are looked at."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

DEFAULTS = Path(__file__).resolve().parents[4] / "roles" / "gh200" / "defaults" / "main" / "fleet.yml"


@pytest.fixture(name="share")
def share_by_record(tmp_path):
    """share(record, **variables): the values of gh200_share and gh200_home; `record` is the text of the note, None for
    none.
    """

    def share(record, **variables):
        if record is not None:
            folder = tmp_path / "r1"
            folder.mkdir()
            (folder / "share").write_text(record, encoding="utf-8")
        values = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8")) | {"gh200_state_dir": str(tmp_path)} | variables
        templar = Templar(DataLoader(), {name: trust(value) for name, value in values.items()})
        return templar.template(trust("{{ [gh200_share, gh200_home] }}"))

    def trust(value):
        if isinstance(value, list):
            return [trust(item) for item in value]
        return trust_as_template(value) if isinstance(value, str) else value

    return share


@pytest.mark.parametrize("record", [None, "", "/elsewhere", "/home/ubuntu/other"])
def test_without_a_note_that_is_still_right_it_is_the_likeliest_place(share, record):
    assert share(record) == ["/lambda/nfs/shared", "/lambda/nfs/shared/gh200"]


@pytest.mark.parametrize("record", ["/home/ubuntu/shared", "/home/ubuntu/shared\n", "/lambda/nfs/shared"])
def test_it_is_where_it_was_found(share, record):
    assert share(record) == [record.strip(), f"{record.strip()}/gh200"]


def test_a_note_of_another_filesystem_does_not_count(share):
    assert share("/home/ubuntu/shared", gh200_filesystem="big")[0] == "/lambda/nfs/big"


def test_what_the_user_says_counts_more(share):
    assert share("/home/ubuntu/shared", gh200_share="/mnt/x") == ["/mnt/x", "/mnt/x/gh200"]
