# SPDX-License-Identifier: GPL-3.0-or-later
"""What came with the packages is noted, and exactly that is taken back; on a made-up apt."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from ansible_collections.gh200.inference.plugins.modules import apt_packages


class Ended(Exception):
    """What the module ended with."""

    def __init__(self, **result):
        super().__init__(str(result))
        self.result = result


def end(**result):
    """Stands for exit_json and fail_json."""
    raise Ended(**result)


class Node:
    """A dpkg with these packages; `needs` has what each brings, `versions` what the archives have of it."""

    def __init__(self, *names, needs=None, versions=None):
        self.names, self.needs, self.versions = set(names), needs or {}, versions or {}
        self.done, self.killed = [], False

    def command(self, argv, check_rc=False, environ_update=None):
        if argv[0] == "dpkg-query":
            return 0, "".join(f"{name}\tinstalled\tp-{name} (= 1)\n" for name in sorted(self.names)), ""
        if argv[0] == "apt-cache":
            return 0, f"{argv[2]}:\n  Candidate: {self.versions.get(argv[2], '(none)')}\n", ""
        if argv[0] == "dpkg":
            return int(argv[2] < argv[4]), "", ""
        if argv[0] == "systemctl":
            self.done.append(f"{argv[1]} {argv[2]}")
            return 0, "", ""
        words = argv[argv.index("purge") + 1 :] if "purge" in argv else []
        if "--simulate" in argv:
            return 0, "".join(f"Purg {name} [1]\n" for name in sorted(self.closure(words))), ""
        self.done.append(next(word for word in argv if word in ("update", "install", "purge")))
        if "purge" in argv:
            self.names -= self.closure(words)
        elif "install" in argv:
            for name in argv[argv.index("install") + 1 :]:
                self.names |= {name, *self.needs.get(name, [])}
            if self.killed:
                end(msg="killed")
        return 0, "", ""

    def closure(self, names):
        """These, and what needs them."""
        return set(names) | {name for name in self.names if set(self.needs.get(name, [])) & set(names)}


@pytest.fixture(name="apply")
def apply_to_a_node(tmp_path, monkeypatch):
    """apply(node, *packages, state, minimum, check): what the module ends with; the note is at `apply.note`."""
    monkeypatch.setattr(apt_packages, "NOTES", str(tmp_path / "gh200/packages"))
    monkeypatch.setattr(apt_packages, "LISTS", str(tmp_path / "lists"))

    def apply(node, *packages, state="present", minimum=None, check=False, masked=()):
        params = {"name": "x", "packages": list(packages), "minimum": minimum or {}, "state": state}
        params |= {"cache_valid_time": 10, "lock_timeout": 5, "masked": list(masked)}
        module = SimpleNamespace(
            params=params, check_mode=check, exit_json=end, fail_json=end, run_command=node.command
        )
        with pytest.raises(Ended) as ended:
            apt_packages.Packages(module).execute()
        return ended.value.result

    apply.note = tmp_path / "gh200/packages/x.json"
    return apply


def test_what_is_there_costs_nothing(apply):
    node = Node("gcc", "python")
    assert not apply(node, "gcc", "p-python")["changed"]
    assert node.done == [] and not apply.note.exists()


def test_what_came_is_noted_and_exactly_that_goes(apply):
    node = Node("base", needs={"gcc": ["cpp", "libc-dev"]})
    assert apply(node, "gcc", "base", check=True)["packages"] == ["gcc"] and node.names == {"base"}
    assert apply(node, "gcc", "base")["changed"] and node.done == ["update", "install"]
    assert not apply(node, "gcc", "base")["changed"]
    assert json.loads(apply.note.read_text(encoding="utf-8"))["packages"] == ["cpp", "gcc", "libc-dev"]
    node.names.add("theirs")
    assert apply(node, state="absent", check=True)["packages"] == ["cpp", "gcc", "libc-dev"] and "gcc" in node.names
    assert apply(node, state="absent")["changed"] and node.names == {"base", "theirs"}
    assert not apply.note.parent.parent.exists() and not apply(node, state="absent")["changed"]


def test_what_others_need_by_now_stays(apply):
    node = Node("base", needs={"gcc": ["cpp"], "theirs": ["cpp"]})
    apply(node, "gcc")
    node.names.add("theirs")
    result = apply(node, state="absent")
    assert (result["packages"], result["kept"]) == (["gcc"], ["cpp"]) and node.names == {"base", "cpp", "theirs"}


def test_an_installation_that_was_killed_is_noted_by_the_next_run(apply):
    node = Node("base", needs={"gcc": ["cpp"]})
    node.killed = True
    assert apply(node, "gcc")["msg"] == "killed"
    assert not apply(node, "gcc")["changed"]
    node.names.add("theirs")
    assert apply(node, state="absent")["packages"] == ["cpp", "gcc"] and node.names == {"base", "theirs"}


@pytest.mark.parametrize(
    ("versions", "words"),
    [({"gcc": "3.11.0~rc1"}, "have gcc only as 3.11.0~rc1, wanted is 3.11.2 or newer"), ({}, "has the package gcc")],
)
def test_an_old_candidate_is_refused_before_anything_is_installed(apply, versions, words):
    node = Node("base", versions=versions)
    said = apply(node, "gcc", minimum={"gcc": "3.11.2"})["msg"]
    assert words in said and "nothing was installed" in said and "install" not in node.done
    node.versions = {"gcc": "3.11.9"}
    assert apply(node, "gcc", minimum={"gcc": "3.11.2"})["changed"]


def test_apt_s_own_words_are_one_line():
    assert (
        apt_packages.reason("Reading...\nE: Unable to locate package x\nW: old\n") == "Unable to locate package x old"
    )
    assert apt_packages.reason("") == "it said nothing"


@pytest.mark.parametrize("killed", [False, True])
def test_a_service_that_must_not_run_is_masked_while_it_is_installed_and_disabled_afterwards(apply, killed):
    node = Node()
    node.killed = killed
    apply(node, "nginx", masked=["nginx.service"])
    order = ["mask nginx.service", "install", "unmask nginx.service", "disable nginx.service"]
    assert [step for step in node.done if step != "update"] == order
    node.done.clear()
    apply(node, "nginx", masked=["nginx.service"])
    assert node.done == []
