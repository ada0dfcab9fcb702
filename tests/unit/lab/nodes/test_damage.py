# SPDX-License-Identifier: GPL-3.0-or-later
"""A record of a node that cannot be read: `lab status` and `lab down` say so in a sentence, and do what can be done."""

from __future__ import annotations

import json

import pytest

from lab import bridges, cli
from lab.config import Paths
from lab.nodes import cgroups, driver, image, network

DAMAGE = {
    "empty": b"",
    "cut": b'{"id": "bad", "hostn',
    "binary": b"\xff\xfe\x00",
    "a list": b"[1, 2, 3]",
    "a field less": b'{"id": "bad", "number": 2}',
    "another type": b'{"id": "bad", "hostname": "r1-01", "number": "2"}',
}


@pytest.fixture(name="lab")
def lab_with_two_nodes(tmp_path, monkeypatch):
    """Its paths, with two nodes, and the names of the control groups that were killed."""
    paths = Paths(tmp_path)
    for node_id, number in (("good", 1), ("bad", 2)):
        folder = paths.run / "nodes" / node_id
        folder.mkdir(parents=True)
        (folder / "node.json").write_text(
            json.dumps({"id": node_id, "hostname": f"r1-0{number}", "number": number}), encoding="utf-8"
        )
    killed = []
    monkeypatch.setattr(cli, "Paths", lambda: paths)
    monkeypatch.setattr(cgroups, "processes", lambda name: set())
    monkeypatch.setattr(cgroups, "kill", lambda name: killed.append(name) or True)
    monkeypatch.setattr(cgroups, "remove", lambda name: [])
    for name in ("disconnect", "down"):
        monkeypatch.setattr(network, name, lambda *where: [])
    return paths, killed


def damage(paths, content):
    (paths.run / "nodes" / "bad" / "node.json").write_bytes(content)


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_status_names_it_and_shows_the_others(lab, capsys, content):
    paths, dummy = lab
    damage(paths, content)
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("r1-01: gone, 10.77.0.11")]
    assert [
        line
        for line in lines
        if line.startswith("bad: ") and str(paths.run / "nodes" / "bad" / "node.json") in line and "lab-down" in line
    ]


@pytest.mark.parametrize("content", DAMAGE.values(), ids=DAMAGE)
def test_down_removes_what_never_ran_and_names_it(lab, capsys, content):
    paths, killed = lab
    damage(paths, content)
    assert cli.main(["down"]) == 0
    assert killed == ["node-1"] and not paths.run.exists()
    assert str(paths.run / "nodes" / "bad" / "node.json") in capsys.readouterr().out


def test_down_finds_a_node_that_runs_by_its_processes(lab, monkeypatch):
    paths, killed = lab
    damage(paths, b"")
    root = paths.run / "nodes" / "bad" / "root"
    monkeypatch.setattr(cgroups, "processes", lambda name: {4711} if name == "node-2" else set())
    monkeypatch.setattr(driver, "_arguments", lambda pid: ["systemd-nspawn", f"--directory={root}"])
    assert cli.main(["down"]) == 0
    assert killed == ["node-2", "node-1"] and not paths.run.exists()


def test_down_keeps_what_may_still_be_in_use_and_says_what_to_do(lab, monkeypatch, capsys):
    paths, killed = lab
    damage(paths, b"")
    root = paths.run / "nodes" / "bad" / "root"
    monkeypatch.setattr(driver.os.path, "ismount", lambda path: path == root)
    monkeypatch.setattr(image, "remove", lambda folder: None if folder.name != "bad" else pytest.fail("it was removed"))
    assert cli.main(["down"]) == 1
    said = capsys.readouterr().err
    assert killed == ["node-1"] and str(root) in said and "umount" in said and "Traceback" not in said


@pytest.mark.parametrize("content", ["", "{}", '{"ip_forward": 3}'])
def test_down_does_without_the_note_of_the_network(tmp_path, monkeypatch, content):
    paths = Paths(tmp_path)
    paths.run.mkdir()
    (paths.run / "network.json").write_text(content, encoding="utf-8")
    forwarding = tmp_path / "ip_forward"
    forwarding.write_text("1", encoding="utf-8")
    monkeypatch.setattr(bridges, "DEVICES", tmp_path / "net")
    monkeypatch.setattr(bridges, "FORWARDING", forwarding)
    monkeypatch.setattr(bridges.shell, "run", lambda *argv, **more: "")
    assert network.down(paths) == []
    assert forwarding.read_text(encoding="utf-8") == "1" and not (paths.run / "network.json").exists()


def test_down_does_without_the_list_of_inventories(lab):
    paths, dummy = lab
    (paths.run / "inventories.json").write_text("[", encoding="utf-8")
    assert cli.main(["down"]) == 0
    assert not paths.run.exists()
