# SPDX-License-Identifier: GPL-3.0-or-later
"""What fscache does to a node's files, and what it refuses. On real NFS: extensions/molecule/vm/nfs."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.module_utils import remount
from ansible_collections.gh200.inference.plugins.modules import fscache

FSTAB = "# the shares\ns:/a /a nfs rw,proto=tcp 0 0\ns:/b\t/b\tnfs4\tdefaults\t0\t0\n/dev/vda / ext4 defaults 0 1\n"


class Ended(Exception):
    """What the module ended with."""

    def __init__(self, **result):
        super().__init__(str(result))
        self.result = result


class Node:
    """Files in a folder, and programs that do to them what the real ones do."""

    def __init__(self, folder):
        self.folder = folder
        self.busy = self.refused = ""
        self.broken = self.active = False
        self.warnings = []
        self.write("fstab", FSTAB)
        self.write("cachefilesd", "")
        self.mounts = []
        for target, device in (("/a", "0:50"), ("/b", "0:50")):
            self.mount(target, device)

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def text(self, name):
        """Of a file, None where there is none."""
        path = self.folder / name
        return path.read_text(encoding="utf-8") if path.exists() else None

    def mount(self, target, device="0:50", fstype="nfs4"):
        """Mounted with what fstab says now."""
        lines = [line.split() for line in self.text("fstab").splitlines() if line.split()[1:2] == [target]]
        options = lines[0][3] if lines else "rw"
        self.mounts.append(f"1 1 {device} / {target} rw - {fstype} s:{target} {options}\n")
        self.tell()

    def tell(self):
        """What the kernel says."""
        self.write("mountinfo", "1 1 8:1 / / rw - ext4 /dev/vda rw\n" + "".join(self.mounts))
        cached = "yes" if any("fsc" in line for line in self.mounts) else "no"
        self.write("volumes", f"NV SERVER PORT DEV FSID FSC\nv4 0a000001 801 0:50 5f:0 {cached}\n")

    def run(self, argv, **dummy):
        """Status, output, errors."""
        program, last = argv[0], argv[-1]
        if program == "umount":
            if last == self.busy:
                return 32, "", "umount: target is busy."
            self.mounts = [line for line in self.mounts if f" {last} " not in line]
            self.tell()
        elif program == "mount":
            if self.refused and self.refused in self.text("fstab"):
                return 32, "", "mount.nfs: an incorrect mount option was specified\n"
            self.mount(last)
        elif program == "systemctl" and argv[1] in ("restart", "start", "stop"):
            self.active = argv[1] != "stop" and not self.broken
            return int(self.broken), "", ""
        elif program == "systemctl" and argv[1] == "is-active":
            return (0 if self.active else 3), "", ""
        elif program == "journalctl":
            return 0, "cachefilesd: CacheFiles bind failed: errno 95\n", ""
        return 0, "", ""

    def module(self, check=False, **params):
        """What the module ends with."""

        def end(**result):
            raise Ended(**result)

        given = {"path": "/a", "state": "present", "keep_free": 0, "package_installed": False} | params
        given.setdefault("cache_dir", str(self.folder / "cache"))
        fake = SimpleNamespace(
            params=given,
            check_mode=check,
            exit_json=end,
            fail_json=end,
            run_command=self.run,
            warn=self.warnings.append,
        )
        with pytest.raises(Ended) as ended:
            fscache.Cache(fake).execute()
        return ended.value.result

    def snapshot(self):
        """All files, and what is mounted how."""
        return {
            str(path.relative_to(self.folder)): path.read_text(encoding="utf-8")
            for path in self.folder.rglob("*")
            if path.is_file()
        }


@pytest.fixture(name="node")
def node_with_two_mounts(tmp_path, monkeypatch):
    """Two NFS mounts of one server that share a superblock."""
    for module, name, file in (
        (remount, "FSTAB", "fstab"),
        (remount, "MOUNTINFO", "mountinfo"),
        (fscache, "VOLUMES", "volumes"),
        (fscache, "PROGRAM", "cachefilesd"),
        (fscache, "SETTINGS", "settings"),
        (fscache, "UNIT", "unit"),
        (fscache, "WANTED", "wants/unit"),
        (fscache, "RECORD", "record.json"),
    ):
        monkeypatch.setattr(module, name, str(tmp_path / file))
    return Node(tmp_path)


def test_both_mounts_of_a_superblock_are_cached_and_the_second_run_is_silent(node):
    result = node.module()
    assert (result["changed"], result["cached"]) == (True, True)
    assert node.text("fstab") == FSTAB.replace("proto=tcp", "proto=tcp,fsc").replace("4\tdefaults", "4\tdefaults,fsc")
    assert all("fsc" in line for line in node.mounts) and len(node.mounts) == 2
    again = node.module()
    assert (again["changed"], again["diff"]) == (False, [])


def test_absent_leaves_every_file_as_it_was_and_the_second_time_does_nothing(node):
    before = node.snapshot()
    node.module()
    (node.folder / "cache" / "cache").mkdir()
    (node.folder / "cache" / "graveyard").mkdir()
    result = node.module(state="absent", path=None)
    assert (result["changed"], result["remove_package"]) == (True, False)
    assert node.snapshot() == before
    assert not (node.folder / "cache").exists() and not (node.folder / "wants/unit").is_symlink()
    assert node.module(state="absent", path=None)["changed"] is False


def test_a_cache_and_a_daemon_that_were_there_before_stay(node):
    (node.folder / "cache/cache").mkdir(parents=True)
    node.active = True
    node.module()
    node.module(state="absent", path=None)
    assert (node.folder / "cache/cache").is_dir() and node.active


def test_an_empty_folder_that_was_there_before_stays_and_one_of_the_package_goes_with_it(node):
    (node.folder / "cache").mkdir()
    node.module()
    node.module(state="absent", path=None)
    assert (node.folder / "cache").is_dir()
    node.module(package_installed=True)
    node.module(state="absent", path=None)
    assert not (node.folder / "cache").exists()


def test_behind_an_automounter_the_mount_is_made_by_looking(node):
    node.mounts.insert(0, "1 1 0:33 / /a rw - autofs systemd-1 rw\n")
    run, asked = node.run, []

    def programs(argv, **more):
        asked.append(argv)
        if argv[0] == "umount" and argv[-1] == "/a":
            node.mounts = [line for line in node.mounts if " /a " not in line or "autofs" in line]
            node.tell()
            return 0, "", ""
        if argv == ["stat", "--file-system", "/a/."]:
            node.mount("/a")
            return 0, "", ""
        return run(argv, **more)

    node.run = programs
    assert node.module()["cached"] is True
    assert ["mount", "/a"] not in asked and ["mount", "/b"] in asked


def test_a_line_that_had_the_option_before_keeps_it(node):
    node.write("fstab", FSTAB.replace("proto=tcp", "fsc"))
    node.module()
    node.module(state="absent", path=None)
    assert node.text("fstab") == FSTAB.replace("proto=tcp", "fsc")


def test_a_mount_that_has_the_option_by_itself_does_not_keep_it_for_those_that_share_its_superblock(node):
    node.write("fstab", FSTAB + "s:/c /c nfs fsc 0 0\n")
    node.mount("/c")
    node.module()
    asked, run = [], node.run
    node.run = lambda argv, **more: asked.append(argv) or run(argv, **more)
    node.module(state="absent", path=None)
    # In the order in which they were: the first says for all whether there is a cache.
    assert [argv[-1] for argv in asked if argv[0] == "umount"] == ["/c", "/b", "/a"]
    assert [argv[-1] for argv in asked if argv[0] == "mount"] == ["/a", "/b", "/c"]
    assert node.text("fstab") == FSTAB + "s:/c /c nfs fsc 0 0\n"


def test_the_package_is_removed_only_where_it_was_installed_for_this(node):
    node.module(package_installed=True)
    node.module()
    assert node.module(state="absent", path=None)["remove_package"] is True
    # Until it is gone the record says so.
    assert node.module(state="absent", path=None)["remove_package"] is True
    assert node.module()["cached"] is True


@pytest.mark.parametrize("state", ["present", "absent"])
def test_check_mode_says_that_it_would_and_does_nothing(node, state):
    if state == "absent":
        node.module()
    before = node.snapshot()
    assert node.module(check=True, state=state)["changed"] is True
    assert node.snapshot() == before
    assert not (node.folder / "cache").exists() or state == "absent"


def test_a_mount_in_use_is_refused_and_the_others_are_mounted_again(node):
    node.busy = "/a"
    said = node.module()["msg"]
    assert "/a is in use by something" in said and "run this again, or reboot" in said
    assert sorted(line.split()[4] for line in node.mounts) == ["/a", "/b"]
    node.busy = ""
    assert node.module()["cached"] is True


def test_a_kernel_that_refuses_the_option_leaves_all_as_it_was(node):
    node.refused = "fsc"
    said = node.module()["msg"]
    assert "an incorrect mount option" in said and "mounted as before, without a cache" in said
    assert node.text("fstab") == FSTAB and len(node.mounts) == 2


def test_a_mount_without_a_line_is_refused_before_anything_is_changed(node):
    node.mount("/bound")
    before = node.snapshot()
    said = node.module()["msg"]
    assert "no line of type nfs for /bound, where s:/a is mounted too" in said
    assert node.snapshot() == before


def test_a_daemon_that_does_not_start_is_one_sentence_with_its_own_words(node):
    node.broken = True
    said = node.module()["msg"]
    assert "did not start: cachefilesd: CacheFiles bind failed: errno 95" in said and "ext4 or xfs" in said


def test_a_daemon_that_is_down_is_started(node):
    node.module()
    node.active = False
    assert node.module()["changed"] is True and node.active


def test_a_missing_package_is_told_and_what_follows_is_foreseen(node):
    (node.folder / "cachefilesd").unlink()
    before = node.snapshot()
    told = node.module(check=True)
    assert told["package_missing"] is True and told["changed"] is False and node.snapshot() == before
    assert node.module(check=True, package_installed=True)["changed"] is True


def test_a_package_is_ours_also_after_a_kill_between_its_installation_and_the_cache(node):
    (node.folder / "cachefilesd").unlink()
    assert node.module()["package_missing"] is True
    node.write("cachefilesd", "")
    node.active = True  # by the script of the package
    assert node.module()["cached"] is True
    removed = node.module(state="absent")
    assert removed["remove_package"] is True and not node.active


def test_what_is_not_nfs_is_left_alone_with_the_reason(node):
    node.mounts.clear()
    node.mount("/a", fstype="virtiofs")
    (node.folder / "cachefilesd").unlink()
    before = node.snapshot()
    result = node.module()
    assert result["reason"] == "/a is virtiofs, and FS-Cache serves NFS only." and not result["changed"]
    assert result["mount"] == {"fstype": "virtiofs", "source": "s:/a", "target": "/a"}
    assert node.snapshot() == before


@pytest.mark.parametrize(("status", "said"), [(1, "is not there"), (137, "did not answer within 30 s")])
def test_a_path_that_is_not_there_or_does_not_answer(node, status, said):
    run = node.run
    node.run = lambda argv, **more: (status, "", "") if argv[0] == "timeout" else run(argv, **more)
    assert said in node.module()["msg"]


def test_a_kernel_without_the_cache_is_told(node):
    node.tell = lambda: node.write("mountinfo", "".join(node.mounts))
    assert "the kernel does not cache it" in node.module()["msg"]


def test_a_full_disk_is_a_warning(node, monkeypatch):
    full = SimpleNamespace(f_blocks=1000, f_bavail=50, f_frsize=4096)
    monkeypatch.setattr(fscache.os, "statvfs", lambda path: full)
    assert node.module()["cached"] is True
    assert "5 % free, and below 10 % nothing is added" in node.warnings[0]
