# SPDX-License-Identifier: GPL-3.0-or-later
"""All that does not answer is told at once, with what to set."""

from __future__ import annotations

import subprocess
import typing as t

import pytest


@pytest.fixture(name="probe")
def program(load, monkeypatch):
    module = load("vllm_build/probe.py")
    monkeypatch.setattr(module, "PAUSES", [0, 0, 0])
    return module


@pytest.fixture(name="site")
def web_site(serve, monkeypatch):
    """A site whose /there exists and whose /tired answers 503 as often as `site.tired` says."""

    class Site:
        tired = 0
        asked: t.ClassVar[list[t.Any]] = []

        def answer(self, method, path, headers, body):
            self.asked.append((method, path))
            if path == "/tired" and self.tired:
                self.tired -= 1
                return 503, b""
            return (200, b"") if path in ("/there", "/tired") else (404, b"")

    site = Site()
    site.asked = []
    site.url = serve(site.answer)
    return site


def file(url, variable="that_variable", unless=""):
    return {"kind": "file", "url": url, "variable": variable, "unless": unless}


def test_only_the_head_is_asked_for(probe, site):
    probe.main([file(f"{site.url}/there")])
    assert site.asked == [("HEAD", "/there")]


def test_all_that_is_missing_is_in_one_sentence(probe, site, tmp_path):
    addresses = [
        file(f"{site.url}/gone", "first"),
        file(f"{site.url}/there"),
        {"kind": "git", "url": f"{tmp_path}/none", "variable": "second"},
    ]
    with pytest.raises(SystemExit) as ended:
        probe.main(addresses)
    assert f"{site.url}/gone (HTTP 404; set first), {tmp_path}/none (fatal: " in str(ended.value)
    assert "set second)" in str(ended.value)
    assert "/there" not in str(ended.value)


def test_what_is_gone_is_asked_for_once(probe, site):
    assert probe.ask(file(f"{site.url}/gone")) == "HTTP 404"
    assert len(site.asked) == 1


@pytest.mark.parametrize(("times", "reason"), [(2, ""), (3, "HTTP 503")])
def test_what_is_tired_is_asked_again(probe, site, times, reason):
    site.tired = times
    assert probe.ask(file(f"{site.url}/tired")) == reason
    assert len(site.asked) == 3


def test_a_wheel_that_is_there_needs_nothing(probe, site, tmp_path):
    (tmp_path / "SHA256SUMS").touch()
    probe.main([file(f"{site.url}/gone", unless=str(tmp_path / "SHA256SUMS"))])
    assert site.asked == []


def test_a_repository(probe, tmp_path):
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path)], check=True)
    assert probe.ask({"kind": "git", "url": str(tmp_path)}) == ""
