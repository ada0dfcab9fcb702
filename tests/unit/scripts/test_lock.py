# SPDX-License-Identifier: GPL-3.0-or-later
"""The locks hold exactly the pins of the role."""

from __future__ import annotations

import pytest

from scripts import lock


def test_pins_and_locks_agree(capsys):
    assert lock.main(check=True) is None
    assert "engine.txt: " in capsys.readouterr().out


def test_what_is_pinned_and_not_locked_is_named(monkeypatch):
    monkeypatch.setattr(lock, "pins", lambda name: ["numpy==1.26.4", "other==1"])
    assert "engine.txt and pins.yml differ in" in lock.main(check=True)


@pytest.mark.parametrize(
    "text", ["one==1 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\ntwo==2\n", "# one\none==1 \\\n"]
)
def test_checksums_are_counted(text):
    assert lock.locked(text) in ({"one==1": 2}, {"one==1": 0})


def test_a_pin_without_a_checksum_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "LOCKS", tmp_path)
    monkeypatch.setattr(lock, "pins", lambda name: ["one==1"])
    (tmp_path / "engine.txt").write_text("one==1 \\\n", encoding="utf-8")
    assert "has no checksum of one==1" in lock.main(check=True)
