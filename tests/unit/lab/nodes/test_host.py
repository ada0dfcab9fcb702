# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node takes over from this machine."""

from __future__ import annotations

import subprocess

import pytest

from lab.errors import LabError
from lab.nodes import host

DEB822 = """\
# the release
Types: deb
URIs: http://deb.example.com/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.example.com/debian-security
Suites: bookworm-security
Components: main
"""


@pytest.fixture(name="apt")
def folder_of_apt(tmp_path):
    """apt(name=text, ...): a folder as /etc/apt; a dot in the name is written as two underscores."""

    def apt(**files):
        (tmp_path / "sources.list.d").mkdir()
        for name, text in files.items():
            file = name.replace("__", ".")
            (tmp_path / ("" if file == "sources.list" else "sources.list.d") / file).write_text(text, encoding="utf-8")
        return tmp_path

    return apt


def test_sources_in_the_new_form_are_taken_without_comments(apt):
    found = host.debian_sources(apt(debian__sources=DEB822))
    assert found == DEB822.replace("# the release\n", "")
    assert host.mirror(found) == "http://deb.example.com/debian"


def test_sources_in_the_old_form_are_translated(apt):
    text = (
        "# deb http://no bookworm main\ndeb-src http://no bookworm main\ndeb [signed-by=/k arch=amd64] "
        "http://old.example.com/debian bookworm main contrib\n"
    )
    found = host.debian_sources(apt(sources__list=text))
    assert found == "Types: deb\nURIs: http://old.example.com/debian\nSuites: bookworm\nComponents: main contrib\n"


def test_third_parties_are_left_out(apt):
    other = "Types: deb\nURIs: http://third.example.com\nSuites: stable\nComponents: main\n"
    assert "third" not in host.debian_sources(
        apt(debian__sources=DEB822, other__sources=other, more__list="deb http://third.example.com trixie main\n")
    )


def test_another_debian_is_refused(apt):
    with pytest.raises(LabError, match="needs a Debian 12 machine"):
        host.debian_sources(apt(sources__list="deb http://deb.example.com/debian trixie main\n"))


def test_a_mirror_of_updates_alone_is_not_enough():
    with pytest.raises(LabError, match="no mirror for bookworm itself"):
        host.mirror("Types: deb\nURIs: http://deb.example.com\nSuites: bookworm-security\n")


def test_pip_is_set_as_here_and_the_environment_wins(monkeypatch):
    listed = (
        "global.index-url='http://192.0.2.1/simple'\nglobal.find-links='/a\\n/b'\nglobal.no-cache-dir='1'\n"
        ":env:.index-url='http://192.0.2.2/simple'\ninstall.user='true'\n"
    )
    monkeypatch.setattr(
        host.subprocess, "run", lambda *args, **options: subprocess.CompletedProcess(args, 0, stdout=listed)
    )
    assert host.pip_settings() == {"index-url": "http://192.0.2.2/simple", "find-links": "/a /b"}


def test_folders_that_pip_names_are_those_that_exist(tmp_path):
    (tmp_path / "index" / "simple").mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    settings = {
        "index-url": f"file://{tmp_path}/index/simple",
        "find-links": f"{tmp_path}/wheels {tmp_path}/none http://192.0.2.1/wheels",
        "cert": str(tmp_path),
    }
    assert host.local_folders(settings) == [tmp_path / "index", tmp_path / "wheels"]


def test_settings_of_apt_are_those_about_fetching(monkeypatch):
    dump = (
        'Acquire::http::Proxy "http://192.0.2.1";\nAPT::Install-Recommends "0";\nAcquire::Check-Date "0";\n'
        'Acquire::Languages "none";\n'
    )
    monkeypatch.setattr(
        host.subprocess, "run", lambda *args, **options: subprocess.CompletedProcess(args, 0, stdout=dump)
    )
    assert host.apt_settings() == 'Acquire::http::Proxy "http://192.0.2.1";\nAcquire::Check-Date "0";\n'


def test_certificates_are_found_in_folders_too(tmp_path):
    (tmp_path / "more").mkdir()
    for name in ("b.crt", "more/a.crt", "c.txt"):
        (tmp_path / name).touch()
    assert host.certificates(tmp_path) == [tmp_path / "b.crt", tmp_path / "more" / "a.crt"]
