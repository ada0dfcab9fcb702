# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found is noted on the control node."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.gh200.inference.plugins.action import shared_mount

FOUND = {"changed": False, "path": "/lambda/nfs/shared", "fstype": "nfs4", "source": "server:/x"}


@pytest.fixture(name="look")
def look_for_the_share():
    """look(answer, record): the task's result, where the module answers so."""

    def look(answer, record):
        loader, task = DataLoader(), Task()
        task.args, task.check_mode, task.async_val = {"paths": ["/lambda/nfs/shared"], "record": record}, True, 0
        task.action = "gh200.inference.shared_mount"
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
        plugin = shared_mount.ActionModule(task, connection, PlayContext(), loader, Templar(loader), None)

        def execute(module_name, module_args, task_vars):
            assert (module_name, module_args) == ("gh200.inference.shared_mount", {"paths": ["/lambda/nfs/shared"]})
            return dict(answer)

        plugin._execute_module = execute
        return plugin.run(task_vars={"inventory_hostname": "r1-00"})

    return look


def test_the_path_is_noted_in_check_mode_too_and_is_no_change(look, tmp_path):
    record = tmp_path / "r1" / "share"
    for text in (None, "/old", "/lambda/nfs/shared"):
        if text:
            record.write_text(text, encoding="utf-8")
        assert look(FOUND, str(record)) == FOUND
        assert record.read_text(encoding="utf-8") == "/lambda/nfs/shared"
    assert record.parent.stat().st_mode & 0o777 == 0o700


def test_a_folder_in_the_users_home_is_found(look, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    look(FOUND, "~/state/share")
    assert (tmp_path / "state" / "share").exists()


def test_nothing_is_noted_of_what_was_not_found(look, tmp_path):
    assert look({"failed": True, "msg": "no"}, str(tmp_path / "share"))["msg"] == "no"
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_one_sentence(look, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = look(FOUND, str(tmp_path / "file" / "share"))
    assert result["failed"] and "on the control node, which tells where the share is, cannot be" in result["msg"]
