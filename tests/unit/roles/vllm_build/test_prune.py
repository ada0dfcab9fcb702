# SPDX-License-Identifier: GPL-3.0-or-later
"""What is old goes, and nothing that somebody uses or that is not ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture(name="prune")
def program(load):
    return load("vllm_build/prune.py")


class Share:
    """Environments e0 (the newest) to e3, each from wheels w0 to w3, and things of others."""

    def __init__(self, root):
        self.venvs, self.wheelhouse = root / "venvs", root / "wheelhouse"
        for number in range(4):
            self.environment(f"e{number}", [f"w{number}"], 100 - number)
            self.wheels(f"w{number}", 100 - number)
        self.environment("foreign", [], 1, mark="something else")
        (self.venvs / "unfinished").mkdir()
        (self.wheelhouse / "checksums").mkdir()
        (self.venvs / "current").symlink_to(self.venvs / "e0")

    def environment(self, name, wheels, age, mark=None):
        folder = self.venvs / name
        folder.mkdir(parents=True)
        (folder / ".engine").write_text(f"{mark or name}\n", encoding="utf-8")
        (folder / ".wheels").write_text("\n".join(wheels) + "\n", encoding="utf-8")
        os.utime(folder, (age, age))

    def wheels(self, name, age):
        folder = self.wheelhouse / name
        folder.mkdir(parents=True)
        for file in ("manifest.json", "SHA256SUMS", f"{name}.whl"):
            (folder / file).touch()
        os.utime(folder, (age, age))

    def question(self, **more):
        return {
            "venvs": str(self.venvs),
            "wheelhouse": str(self.wheelhouse),
            "keep": 1,
            "environments": [],
            "folders": [],
            "dry": False,
        } | more

    def there(self):
        return {path.name for folder in (self.venvs, self.wheelhouse) for path in folder.iterdir()}


OTHERS = {"foreign", "unfinished", "checksums", "current"}


@pytest.fixture(name="share")
def made_up_share(tmp_path):
    return Share(tmp_path)


def test_the_newest_stay(prune, share):
    gone = prune.remove(**share.question(keep=2))
    assert [os.path.basename(path) for path in gone] == ["e2", "e3", "w2", "w3"]
    assert share.there() == OTHERS | {"e0", "e1", "w0", "w1"}


def test_what_is_in_use_stays_with_its_wheels(prune, share):
    prune.remove(**share.question(environments=["e3"]))
    assert share.there() == OTHERS | {"e0", "e3", "w0", "w3"}


def test_what_the_link_leads_to_stays(prune, share):
    (share.venvs / "current").unlink()
    (share.venvs / "current").symlink_to(share.venvs / "e2")
    prune.remove(**share.question())
    assert {"e0", "e2", "w2"} <= share.there() and "e1" not in share.there()


def test_the_wheels_that_the_variables_name_stay(prune, share):
    prune.remove(**share.question(folders=["w3"]))
    assert share.there() == OTHERS | {"e0", "w0", "w3"}


def test_check_mode_only_says(prune, share):
    before = share.there()
    assert len(prune.remove(**share.question(dry=True))) == 6
    assert share.there() == before


def test_units_and_processes_use_environments(prune, tmp_path):
    unit = tmp_path / "etc/systemd/system/ray.service"
    unit.parent.mkdir(parents=True)
    unit.write_text("ExecStart=/share/venvs/e1/bin/ray start\nRequiresMountsFor=/share/venvs/e1\n", encoding="utf-8")
    process = tmp_path / "proc/7"
    process.mkdir(parents=True)
    (process / "cmdline").write_bytes(b"/share/venvs/e2/bin/python\0-m\0vllm\0")
    (process / "maps").write_text("7f00 r-xp 00 00:00 1   /share/venvs/e3/lib/libtorch.so\n", encoding="utf-8")
    assert prune.used("/share/venvs/", root=str(tmp_path)) == ["e1", "e2", "e3"]
    assert prune.used("/other", root=str(tmp_path)) == []


def test_a_running_program_of_an_environment_is_seen(load, tmp_path):
    path = load("vllm_build/prune.py").__file__
    script = tmp_path / "venvs/e9/bin/python"
    script.parent.mkdir(parents=True)
    script.symlink_to(sys.executable)
    with subprocess.Popen([script, "-c", "input()"], stdin=subprocess.PIPE) as process:
        asked = [sys.executable, path, "used", str(tmp_path / "venvs")]
        told = subprocess.run(asked, capture_output=True, text=True, check=True)
        process.stdin.close()
    assert json.loads(told.stdout) == ["e9"]


def test_what_cannot_be_removed_is_one_sentence(prune, share, monkeypatch):
    def refuse(path):
        raise PermissionError(1, "Operation not permitted", path)

    monkeypatch.setattr(prune.shutil, "rmtree", refuse)
    monkeypatch.setattr(prune.sys, "argv", ["prune.py", "remove", json.dumps(share.question())])
    with pytest.raises(SystemExit) as ended:
        prune.main()
    assert str(ended.value).endswith("(Operation not permitted): remove it by hand, or see who uses it.")
