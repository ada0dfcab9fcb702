# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret is in the diff of a service, whatever it looks like."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import systemd
from ansible_collections.gh200.inference.plugins.modules import systemd_unit

UNIT = "[Service]\nExecStart=/bin/true\n"


@pytest.fixture(name="diff")
def diff_of_a_service(tmp_path):
    """diff(before, environment, secret): what writing the files shows. `before` is the text of the environment file, or None."""
    def diff(before, environment, secret):
        path = tmp_path / "example.env"
        if before is not None:
            path.write_text(before, encoding="utf-8")
            path.chmod(0o600)
        params = {"name": "example", "unit": UNIT, "environment": environment, "secret_environment": secret, "environment_file": str(path), "reads": [], "files": {}}
        service = systemd_unit.Service(SimpleNamespace(params=params, check_mode=True))
        service.unit_path = str(tmp_path / "example.service")
        service.write_files()
        return service.result["diff"]

    return diff


@pytest.mark.parametrize("secret", ["planted", "two\nplanted", 'a"\nplanted', "\nKEY=planted\n", "x\\\nplanted", 'PORT="planted'])
def test_a_secret_is_in_neither_side_of_the_diff(diff, secret):
    shown = diff(systemd.environment_file({"KEY": secret + "old", "PORT": "1"}), {"PORT": "2"}, {"KEY": secret})
    assert "planted" not in str(shown)
    assert 'PORT="1"' in shown[0]["before"] and 'PORT="2"' in shown[0]["after"]


def test_the_diff_tells_that_a_secret_changed(diff):
    shown = diff(systemd.environment_file({"KEY": "old"}), {}, {"KEY": "new"})[0]
    assert shown["before"].startswith("KEY=(secret ") and shown["before"] != shown["after"]


def test_a_secret_that_is_not_wanted_any_more_is_not_shown_either(diff):
    shown = diff(systemd.environment_file({"OLD_KEY": "planted", "PORT": "1"}), {"PORT": "1"}, {})[0]
    assert "planted" not in str(shown) and shown["after"] == 'PORT="1"\n'


def test_a_file_that_someone_else_wrote_is_not_shown(diff):
    assert "planted" not in str(diff("export KEY=planted\nplanted\nKEY2='planted'\nKEY3=\"planted\n", {"PORT": "1"}, {"KEY": "x"}))


def test_the_unit_itself_is_shown_as_it_is(diff):
    assert diff(None, {}, {})[1]["after"] == UNIT


@pytest.fixture(name="service")
def service_with_a_companion(tmp_path):
    """A service that wants a program beside it, not in check mode."""
    params = {
        "name": "example", "unit": UNIT, "environment": {}, "secret_environment": {}, "environment_file": str(tmp_path / "example.env"),
        "reads": [str(tmp_path / "shared.env")], "files": {str(tmp_path / "lib" / "health.py"): "print()\n"},
    }
    service = systemd_unit.Service(SimpleNamespace(params=params, check_mode=False))
    service.unit_path = str(tmp_path / "example.service")
    return service


def test_a_companion_is_written_once_and_restarts_nothing(service, tmp_path):
    service.write_files()
    service.write_companions()
    assert (tmp_path / "lib" / "health.py").read_text(encoding="utf-8") == "print()\n" and service.result["changed"]
    service.result["changed"] = False
    assert not service.write_files()
    service.write_companions()
    assert not service.result["changed"]
    os.utime(tmp_path / "lib" / "health.py", (time.time() + 60, time.time() + 60))
    assert not service.is_stale({"ExecMainStartTimestampMonotonic": str(int((time.monotonic() + 30) * 1e6))})


def test_a_file_of_another_service_that_is_newer_makes_it_stale(service, tmp_path):
    service.write_files()
    begin = {"ExecMainStartTimestampMonotonic": str(int((time.monotonic() + 30) * 1e6))}
    assert not service.is_stale(begin)
    (tmp_path / "shared.env").write_text("A=1\n", encoding="utf-8")
    assert not service.is_stale(begin)
    os.utime(tmp_path / "shared.env", (time.time() + 60, time.time() + 60))
    assert service.is_stale(begin)
