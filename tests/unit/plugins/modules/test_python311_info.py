# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node lacks of the source of its Python is named, and an interpreter is known by what it says itself."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import apt
from ansible_collections.gh200.inference.plugins.modules import python311_info

KEYS = Path(__file__).parents[1] / "keys"
FINGERPRINT = "1D2C 3F69 A234 5174 D735  2D1A 3D8F DF7B 194A 675A"
URI = "https://ppa.example.com/ubuntu"
PACKAGES = ("python3.11", "python3.11-venv")
SUM = "0123456789abcdef" * 4


class Ended(Exception):
    """What the module ended with."""


def end(**result):
    """Stands for exit_json."""
    raise Ended(result)


@pytest.fixture(name="look")
def look_at_a_node(tmp_path, monkeypatch):
    """look(said="3.11.11 final", packages=..., distribution="Debian", **params): what the module ends with.

    `look.folder` has the interpreter, the archive's files, and the notes.
    """
    for name in ("KEYRINGS", "SOURCES", "NOTES"):
        monkeypatch.setattr(apt, name, str(tmp_path))
    monkeypatch.setattr(python311_info, "get_distribution_codename", lambda: "jammy")
    (tmp_path / "python").write_text("", encoding="utf-8")
    (tmp_path / "python").chmod(0o755)

    def look(said="3.11.11 final", packages=PACKAGES, distribution="Debian", status=0, **params):
        monkeypatch.setattr(python311_info, "get_distribution", lambda: distribution)

        def run_command(argv, **dummy):
            if argv[0] == "dpkg-query":
                return 0, "".join(f"{name}\tinstalled\t\n" for name in packages), ""
            return status, said if not status else "", said if status else ""

        defaults = {"path": str(tmp_path / "python"), "source": "auto", "packages": list(PACKAGES), "mark": None}
        defaults |= {"uri": URI, "fingerprint": FINGERPRINT, "sha256": None}
        module = SimpleNamespace(params=defaults | params, run_command=run_command, exit_json=end)
        with pytest.raises(Ended) as ended:
            python311_info.Python(module).execute()
        return ended.value.args[0]

    look.folder = tmp_path
    return look


def test_what_is_whole_wants_nothing(look):
    assert look() == {
        "changed": False,
        "source": "distribution",
        "wanting": [],
        "version": "3.11.11",
        "level": "final",
        "said": "3.11.11 final",
    }


def test_a_package_that_is_missing_is_named(look):
    assert look(packages=PACKAGES[:1])["wanting"] == ["python3.11-venv"]


def test_after_a_run_that_was_killed_while_apt_worked_all_is_to_be_done_again(look):
    note = look.folder / "python311.json"
    note.write_text(json.dumps({"before": ["bash"], "packages": []}), encoding="utf-8")
    assert look()["wanting"] == list(PACKAGES)
    note.write_text(json.dumps({"before": None, "packages": list(PACKAGES)}), encoding="utf-8")
    assert look()["wanting"] == []


@pytest.mark.parametrize(
    ("said", "status", "found"),
    [
        ("3.11.0 candidate", 0, ("3.11.0", "candidate", "3.11.0 candidate")),
        ("Fatal\nSyntaxError: print", 1, ("", "", "SyntaxError: print")),
        ("", 0, ("", "", "silent")),
        ("no version at all", 0, ("", "", "no version at all")),
    ],
)
def test_what_an_interpreter_says_is_told(look, said, status, found):
    told = look(said=said, status=status)
    assert (told["version"], told["level"], told["said"]) == found


def test_one_that_is_not_there_is_missing(look):
    told = look(path=str(look.folder / "none"))
    assert (told["version"], told["said"]) == ("", "missing")


def write_archive(folder, key="one", uri=URI):
    """The archive's files as the role leaves them, but for what is given."""
    Path(apt.key_path("deadsnakes")).write_bytes((KEYS / f"{key}.asc").read_bytes())
    Path(apt.source_path("deadsnakes")).write_text(apt.source("deadsnakes", [uri], ["jammy"], ["main"]), "utf-8")
    for path in folder.glob("deadsnakes.*"):
        path.chmod(0o644)


def test_on_ubuntu_the_archive_is_looked_at_too(look):
    files = [f"{look.folder}/deadsnakes.asc", f"{look.folder}/deadsnakes.sources"]
    told = look(distribution="Ubuntu")
    assert (told["source"], told["wanting"]) == ("deadsnakes", files)
    write_archive(look.folder)
    assert look(distribution="Ubuntu")["wanting"] == []
    write_archive(look.folder, key="two")
    assert look(distribution="Ubuntu")["wanting"] == files[:1]
    Path(files[0]).write_text("no key", encoding="utf-8")
    assert look(source="deadsnakes")["wanting"] == files[:1]
    write_archive(look.folder, uri="https://other.example.com/ubuntu")
    assert look(distribution="Ubuntu")["wanting"] == files[1:]
    write_archive(look.folder)
    Path(files[1]).chmod(0o666)
    assert look(distribution="Ubuntu")["wanting"] == files[1:]


@pytest.mark.parametrize(
    ("text", "checksum", "wants"),
    [(f"{SUM}\n", SUM, False), ("", SUM, True), (f"{SUM}0\n", SUM, True), ("\n", "", True), ("abc\n", "abc", True)],
)
def test_what_is_unpacked_is_known_by_its_mark(look, text, checksum, wants):
    mark = look.folder / "mark"
    mark.write_text(text, encoding="utf-8")
    assert look(source="uv", packages=[], mark=str(mark), sha256=checksum)["wanting"] == ([str(mark)] if wants else [])


def test_nothing_unpacked_is_nothing_there(look):
    assert look(source="uv", mark="/none/mark", sha256=SUM)["wanting"] == ["/none/mark"]
