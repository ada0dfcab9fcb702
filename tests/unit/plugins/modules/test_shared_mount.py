# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the share is, what is refused, and the proof that it is the same one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.modules import shared_mount


class Ended(Exception):
    """What the module ended with."""

    def __init__(self, **result):
        super().__init__(str(result))
        self.result = result


def end(**result):
    """Stands for exit_json and fail_json."""
    raise Ended(**result)


@pytest.fixture(name="node")
def node_with_mounts(tmp_path, monkeypatch):
    """node(*mounted, **params): what the module ends with; the paths are those of folders below tmp_path."""
    table = tmp_path / "mountinfo"
    monkeypatch.setattr(shared_mount, "MOUNTINFO", str(table))

    def node(*mounted, check=False, status=0, fstype="nfs4", paths=("a", "b"), **params):
        lines = [f"1 1 0:1 / {tmp_path / name} rw - {fstype} server:/{name} rw\n" for name in mounted]
        table.write_text("".join(lines), encoding="utf-8")
        given = {"allow_folder": False, "proof": None, "proof_state": None, "timeout": 7} | params
        given["paths"] = [str(tmp_path / name) for name in paths]
        module = SimpleNamespace(
            params=given,
            check_mode=check,
            exit_json=end,
            fail_json=end,
            get_bin_path=lambda name, required: name,
            run_command=lambda argv: (status, "", ""),
        )
        with pytest.raises(Ended) as ended:
            shared_mount.Share(module).execute()
        return ended.value.result

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    node.folder = tmp_path
    return node


def test_the_first_mount_is_taken(node):
    assert node("b", "a")["path"] == str(node.folder / "a")
    assert node("b") == {"changed": False, "path": str(node.folder / "b"), "fstype": "nfs4", "source": "server:/b"}


def test_a_link_to_a_mount_is_one(node):
    (node.folder / "link").symlink_to(node.folder / "b")
    assert node("b", paths=("link",))["path"] == str(node.folder / "link")


def test_plain_folders_and_missing_ones_are_refused_each_by_its_name(node):
    said = node(paths=("a", "none"))["msg"]
    assert f"{node.folder / 'a'} is a plain folder, {node.folder / 'none'} is not there" in said


def test_a_folder_will_do_only_where_that_is_said_and_no_mount_is_there(node):
    assert node(paths=("none", "b"), allow_folder=True) == {
        "changed": False,
        "path": str(node.folder / "b"),
        "fstype": "",
        "source": "",
    }
    assert node("b", allow_folder=True)["path"] == str(node.folder / "b")
    assert "not mounted" in node(paths=("none",), allow_folder=True)["msg"]


def test_the_automounters_empty_place_is_no_mount(node):
    assert "not mounted" in node("a", fstype="autofs")["msg"]


def test_a_mount_whose_server_is_dead_is_named(node):
    assert f"{node.folder / 'a'} did not answer within 7 s" in node("a", status=137)["msg"]


def test_what_one_node_writes_the_others_read_until_it_is_removed(node):
    written = node("a", proof_state="written")
    proof = written["proof"]
    assert len(proof) == 32 and written["changed"] is False
    assert node("a", proof_state="read", proof=proof)["path"] == str(node.folder / "a")
    assert "is another filesystem" in node("b", proof_state="read", proof=proof)["msg"]
    assert node("a", proof_state="absent", proof=proof)["changed"] is False
    assert not list((node.folder / "a").iterdir())
    assert "is another filesystem" in node("a", proof_state="read", proof=proof)["msg"]
    assert "msg" not in node("a", proof_state="absent", proof=proof)


def test_two_proofs_are_not_the_same(node):
    assert node("a", proof_state="written")["proof"] != node("a", proof_state="written")["proof"]


def test_a_file_of_that_name_with_other_words_is_no_proof(node):
    proof = node("a", proof_state="written")["proof"]
    (node.folder / "a" / f".shared-mount-{proof}").write_text("other", encoding="utf-8")
    assert "is another filesystem" in node("a", proof_state="read", proof=proof)["msg"]


def test_check_mode_writes_and_reads_nothing(node):
    assert node("a", check=True, proof_state="written")["proof"] == ""
    assert node("a", check=True, proof_state="read", proof="")["path"] == str(node.folder / "a")
    assert not list((node.folder / "a").iterdir())


def test_a_mount_that_cannot_be_written_is_one_sentence(node, monkeypatch):
    def refuse(path, text, mode):
        raise PermissionError(30, "Read-only file system", path)

    monkeypatch.setattr(shared_mount.systemd, "write", refuse)
    assert "cannot be used: [Errno 30]" in node("a", proof_state="written")["msg"]
