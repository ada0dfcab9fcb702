# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that comes from elsewhere never leads out of the folder that it is for."""

from __future__ import annotations

import os

import pytest
from ansible_collections.gh200.inference.plugins.plugin_utils.fleet import host_keys, state_dir
from ansible_collections.gh200.inference.plugins.plugin_utils.lambda_cloud import errors, models

BAD = ["", ".", "..", "../../x", "/etc", "a/b", "a\\..", "a\nb", "-x", "~", "r1\x00", "r" * 101]


@pytest.mark.parametrize("name", BAD)
def test_a_name_that_could_lead_elsewhere_is_refused_in_one_sentence(tmp_path, name):
    for refused in (
        lambda: state_dir.fleet_folder(str(tmp_path), name),
        lambda: host_keys.HostKeys(str(tmp_path)).forget(name),
    ):
        with pytest.raises(errors.CloudError, match="cannot be the name of a file in") as caught:
            refused()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", BAD)
def test_the_key_of_any_instance_has_a_name_in_the_folder(tmp_path, name):
    instance = models.Instance.parse({"id": name, "tags": [{"key": "gh200:run", "value": name}]})
    assert os.path.dirname(state_dir.inside(str(tmp_path), host_keys.name_of(instance))) == str(tmp_path)


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "new/file"
    state_dir.replace(str(path), "one")
    assert path.read_text(encoding="utf-8") == "one" and path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: (dummy for dummy in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(OSError, match="No space"):
        state_dir.replace(str(path), "two")
    assert path.read_text(encoding="utf-8") == "one"
