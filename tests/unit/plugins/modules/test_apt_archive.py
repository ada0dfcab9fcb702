# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive gets the key with the fingerprint that was asked for, in the first run and in every later one."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.modules import apt_archive

KEYS = Path(__file__).parents[1] / "keys"
ONE, TWO = ((KEYS / f"{name}.asc").read_text(encoding="utf-8") for name in ("one", "two"))
FINGERPRINT, OTHER = "1D2C3F69A2345174D7352D1A3D8FDF7B194A675A", "AE6E499794971871450E041D47EF8D766F8EFAED"
URL = "https://keys.example.com/one"


class Ended(Exception):
    """What the module ended with."""

    def __init__(self, **result):
        super().__init__(str(result))
        self.result = result


def end(**result):
    """Stands for exit_json and fail_json."""
    raise Ended(**result)


@pytest.fixture(name="archive")
def archive_on_a_node(tmp_path, monkeypatch):
    """archive(*answers, **params): what the module ends with; answers are what the key's address gives, None for a 503.

    `archive.pauses` has the pauses, `archive.folder` both files.
    """
    monkeypatch.setattr(apt_archive.apt, "KEYRINGS", str(tmp_path))
    monkeypatch.setattr(apt_archive.apt, "SOURCES", str(tmp_path))
    monkeypatch.setattr(apt_archive, "NOTES", str(tmp_path / "notes"))

    def archive(*answers, check=False, **params):
        given, archive.pauses = list(answers), []
        monkeypatch.setattr(apt_archive.time, "sleep", archive.pauses.append)

        def fetch(module, url, timeout):
            assert url == URL
            text = given.pop(0)
            return (
                (None, {"status": 503, "msg": "busy"})
                if text is None
                else (io.BytesIO(text.encode()), {"status": 200, "msg": "OK"})
            )

        monkeypatch.setattr(apt_archive, "fetch_url", fetch)
        defaults = {
            "name": "x",
            "state": "present",
            "fingerprint": FINGERPRINT,
            "key": None,
            "key_url": None,
            "uris": ["https://a.example.com/ubuntu"],
        }
        defaults |= {"suites": ["jammy"], "components": ["main"], "retries": 5}
        module = SimpleNamespace(params=defaults | params, check_mode=check, exit_json=end, fail_json=end)
        with pytest.raises(Ended) as ended:
            apt_archive.Archive(module).execute()
        assert not given
        return ended.value.result

    archive.folder, archive.pauses = tmp_path, []
    return archive


def test_key_and_archive_are_installed_once(archive):
    assert archive(key=ONE, check=True)["changed"] and not list(archive.folder.iterdir())
    assert [part["before"] for part in archive(key=ONE)["diff"]] == ["", ""]
    assert (archive.folder / "x.sources").read_text(encoding="utf-8").splitlines() == [
        "Types: deb",
        "URIs: https://a.example.com/ubuntu",
        "Suites: jammy",
        "Components: main",
        f"Signed-By: {archive.folder}/x.asc",
    ]
    assert archive(key=ONE)["changed"] is False


@pytest.mark.parametrize("installed", [None, ONE, TWO, "no key"])
def test_a_wrong_key_is_refused_whatever_is_installed(archive, installed):
    if installed:
        (archive.folder / "x.asc").write_text(installed, encoding="utf-8")
    for params in ({"key": TWO}, {"key": TWO, "check": True}):
        said = archive(**params)
        assert f"its fingerprint is {OTHER} instead of {FINGERPRINT}" in said["msg"] and "changed" not in said
    assert not (archive.folder / "x.sources").exists()


@pytest.mark.parametrize("installed", [TWO, "no key", ""])
def test_a_wrong_key_in_place_does_not_pass_the_second_run(archive, installed):
    (archive.folder / "x.asc").write_text(installed, encoding="utf-8")
    assert "not installed on this node" in archive()["msg"]
    assert f"its fingerprint is {OTHER}" in archive(TWO, key_url=URL)["msg"]
    assert archive(ONE, key_url=URL)["diff"][0]["before"] == installed
    assert archive(key_url=URL)["changed"] is False


def test_a_second_key_beside_the_right_one_is_refused(archive):
    both = apt_archive.openpgp.armour(apt_archive.openpgp.dearmour(ONE) + apt_archive.openpgp.dearmour(TWO))
    assert f"{FINGERPRINT} and {OTHER} instead of" in archive(key=both)["msg"]
    (archive.folder / "x.asc").write_text(both, encoding="utf-8")
    assert "not installed on this node" in archive()["msg"]


def test_the_key_is_fetched_once_and_handed_on(archive):
    first = archive(ONE, key_url=URL, uris=None)
    assert sorted(path.name for path in archive.folder.glob("x.*")) == ["x.asc"]
    assert archive(key_url=URL, uris=None) == {"changed": False, "diff": [], "key": first["key"]}
    (archive.folder / "x.asc").unlink()
    assert archive(key=first["key"], uris=None)["changed"] is True


def test_a_busy_server_is_asked_again_with_longer_pauses(archive):
    assert archive(None, None, None, ONE, key_url=URL)["changed"] and archive.pauses == [1, 2, 4]


def test_a_server_that_stays_busy_is_one_sentence(archive):
    said = archive(None, None, None, key_url=URL, retries=2)["msg"]
    assert f"could not be fetched from {URL} in 3 attempts: busy." in said and archive.pauses == [1, 2]


def test_a_page_instead_of_a_key_is_refused(archive):
    assert "0 armoured public keys instead of one" in archive("<html>", key_url=URL)["msg"]


def test_the_fingerprint_may_be_written_in_groups(archive):
    assert archive(key=ONE, fingerprint="1d2c 3f69 a234 5174 d735  2d1a 3d8f df7b 194a 675a")["changed"]


def test_what_was_made_is_taken_back(archive):
    archive(key=ONE)
    assert archive(state="absent", check=True)["changed"] and (archive.folder / "x.asc").exists()
    assert archive(state="absent")["changed"] and not list(archive.folder.glob("x.*"))
    assert not (archive.folder / "notes").exists()
    assert not archive(state="absent")["changed"]


def test_what_was_found_stays(archive):
    (archive.folder / "x.asc").write_text(
        apt_archive.openpgp.armour(apt_archive.openpgp.dearmour(ONE)), encoding="utf-8"
    )
    (archive.folder / "x.asc").chmod(0o644)
    assert len(archive()["diff"]) == 1
    assert archive(state="absent")["changed"]
    assert [path.name for path in archive.folder.glob("x.*")] == ["x.asc"]
