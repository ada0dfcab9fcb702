# SPDX-License-Identifier: GPL-3.0-or-later
"""Only exact paths go, never what is mounted, used or another's."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import removal

MOUNTS = "share /mnt/shared nfs rw 0 0\ndisk /srv/with\\040blank ext4 rw 0 0\n"


def test_what_is_ours_may_go():
    assert removal.allowed("/opt/gh200/venv/", MOUNTS) == "/opt/gh200/venv"
    assert removal.allowed("/mnt/shared/gh200", MOUNTS) == "/mnt/shared/gh200"


@pytest.mark.parametrize("path", ["/", "/home", "opt/gh200/venv", "/opt/../home", "/opt/gh200/.."])
def test_what_is_too_near_the_root_stays(path):
    with pytest.raises(removal.Refused, match="must be an absolute path"):
        removal.allowed(path, MOUNTS)


@pytest.mark.parametrize("path", ["/mnt/shared", "/srv/with blank", "/srv/with blank/"])
def test_what_is_mounted_stays(path):
    with pytest.raises(removal.Refused, match="is mounted there"):
        removal.allowed(path, MOUNTS)


def test_what_has_a_mount_below_it_stays():
    with pytest.raises(removal.Refused, match="/opt/gh200/venvs/one is mounted there"):
        removal.allowed("/opt/gh200/venvs", "x /opt/gh200/venvs/one none rw 0 0\n")


def test_a_manifest_names_what_is_beside_and_below_it(tmp_path):
    manifest = tmp_path / "manifest.json"
    assert removal.named_files(str(manifest)) == []
    manifest.write_text(json.dumps({"files": {"a": {}, "sub/deep/b": {}}}), encoding="utf-8")
    files = removal.named_files(str(manifest))
    assert files == [f"{tmp_path}/a", f"{tmp_path}/sub/deep/b"]
    assert removal.emptied(str(manifest), files) == [f"{tmp_path}/sub/deep", f"{tmp_path}/sub", f"{tmp_path}"]


@pytest.mark.parametrize("text", ["", "[]", '{"other": 1}', '{"files": 1}'])
def test_what_is_no_manifest_is_one_sentence(tmp_path, text):
    manifest = tmp_path / "manifest.json"
    manifest.write_text(text, encoding="utf-8")
    with pytest.raises(removal.Refused, match="does not tell what is ours"):
        removal.named_files(str(manifest))


@pytest.mark.parametrize("name", ["/etc/passwd", "../other", "a/../../b"])
def test_a_manifest_that_reaches_out_removes_nothing(tmp_path, name):
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"files": ["good", name]}), encoding="utf-8")
    with pytest.raises(removal.Refused, match="nothing of it was removed"):
        removal.named_files(str(manifest))


def test_a_folder_goes_whole_and_a_link_alone(tmp_path):
    (tmp_path / "folder/deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    (tmp_path / ".folder.removed").mkdir()  # of a removal that was killed
    removal.remove(str(tmp_path / "link"))
    assert (tmp_path / "folder/deep").is_dir()
    removal.remove(str(tmp_path / "folder"))
    assert not list(tmp_path.iterdir())


def test_a_process_that_runs_from_it_is_named(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python").symlink_to(sys.executable)
    with subprocess.Popen(
        [tmp_path / "bin/python", "-c", "input('here')"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        # Not before it is what it will be.
        assert process.stdout.read(4) == b"here"
        assert f"(pid {process.pid})" in removal.users(str(tmp_path), units=str(tmp_path))[0]
        assert removal.users(f"{tmp_path}-other", units=str(tmp_path)) == []
        process.stdin.close()
    assert removal.users(str(tmp_path), units=str(tmp_path)) == []


def test_a_service_that_names_it_is_named(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "ray.service").write_text("[Service]\nExecStart=/opt/one/bin/ray start\n", encoding="utf-8")
    (tmp_path / "ray.service.d").mkdir()
    (tmp_path / "other.service").write_text("[Unit]\nRequiresMountsFor=/opt/one-two\n", encoding="utf-8")
    (tmp_path / "path.service").write_text('[Service]\nEnvironment="PATH=/bin:/opt/two/bin"\n', encoding="utf-8")
    assert removal.users("/opt/one", str(tmp_path / "proc"), str(tmp_path)) == ["ray.service"]
    assert removal.users("/opt/two", str(tmp_path / "proc"), str(tmp_path)) == ["path.service"]
    assert removal.users("/two", str(tmp_path / "proc"), str(tmp_path)) == []
    assert removal.users("/opt/one-two", str(tmp_path / "proc"), str(tmp_path)) == ["other.service"]


def test_what_belongs_to_a_service_that_is_left_out_is_not_told(tmp_path):
    proc = tmp_path / "proc"
    for pid, cgroup in (("7", "/system.slice/ray.service"), ("8", "/user.slice/user-0.slice/session-1.scope")):
        (proc / pid).mkdir(parents=True)
        (proc / pid / "cmdline").write_text("/opt/one/bin/python\0-m\0ray\0", encoding="utf-8")
        (proc / pid / "comm").write_text("python\n", encoding="utf-8")
        (proc / pid / "cgroup").write_text(f"0::{cgroup}\n", encoding="utf-8")
    (tmp_path / "ray.service").write_text("[Service]\nExecStart=/opt/one/bin/ray start\n", encoding="utf-8")
    found = removal.users("/opt/one", str(proc), str(tmp_path))
    assert found == ["python (pid 7)", "python (pid 8)", "ray.service"]
    assert removal.users("/opt/one", str(proc), str(tmp_path), apart_from=["ray.service"]) == ["python (pid 8)"]


def test_this_process_is_not_counted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert f"(pid {os.getpid()})" not in " ".join(removal.users(str(tmp_path), units=str(tmp_path)))
