# SPDX-License-Identifier: GPL-3.0-or-later
"""Before Ray starts: old sessions go, the newest stay, and a process that has the head's port is named."""

from __future__ import annotations

import os
import re
import socket

import pytest


@pytest.fixture(name="clear")
def clear_program(load):
    """The program."""
    return load("ray_cluster/clear.py")


@pytest.fixture(name="sessions")
def folder_of_sessions(tmp_path):
    """Five sessions, the last the newest, and the link to it."""
    for number in range(5):
        folder = tmp_path / f"session_{number}"
        (folder / "logs").mkdir(parents=True)
        (folder / "logs" / "raylet.out").write_text("said\n", encoding="utf-8")
        os.utime(folder, (1000 + number, 1000 + number))
    (tmp_path / "session_latest").symlink_to(tmp_path / "session_4")
    (tmp_path / "prom_metrics.json").write_text("[]", encoding="utf-8")
    return tmp_path


def test_the_newest_three_stay_and_so_does_all_that_is_no_folder(clear, sessions):
    clear.main(str(sessions))
    assert sorted(path.name for path in sessions.iterdir()) == [
        "prom_metrics.json",
        "session_2",
        "session_3",
        "session_4",
        "session_latest",
    ]
    clear.main(str(sessions))
    assert len(list(sessions.iterdir())) == 5


def test_what_a_link_leads_to_is_not_touched(clear, sessions, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "kept").write_text("", encoding="utf-8")
    (sessions / "session_0" / "link").symlink_to(elsewhere)
    (sessions / "old").symlink_to(elsewhere)
    clear.main(str(sessions))
    assert (elsewhere / "kept").exists() and (sessions / "old").is_symlink()


def test_what_cannot_be_removed_is_told_and_ray_starts(clear, sessions, monkeypatch, capsys):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(clear.shutil, "rmtree", refuse)
    clear.main(str(sessions))
    assert "The old session" in capsys.readouterr().err


def test_a_port_that_is_held_is_told_with_the_holder(clear, sessions):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(SystemExit) as refusal:
            clear.main(str(sessions), str(port))
    told = str(refusal.value)
    assert re.match(rf"Ray does not start on this node: port {port} is held by process {os.getpid()} \(.*python", told)
    assert "choose another ray_cluster_port" in told and "pytest" not in told
    clear.main(str(sessions), str(port))
